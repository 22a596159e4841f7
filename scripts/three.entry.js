// What the pages use of three.js; scripts/vendor.py makes one file of it.
export {
  AmbientLight, Box3, BufferAttribute, BufferGeometry, Color, DirectionalLight, DoubleSide, Float32BufferAttribute, GridHelper, Group,
  HemisphereLight, Line, LineBasicMaterial, LineSegments, Mesh, MeshBasicMaterial, MeshNormalMaterial, MeshStandardMaterial,
  PerspectiveCamera, Points, PointsMaterial, Scene, Sphere, Uint32BufferAttribute, Vector3, WebGLRenderer,
} from "three";
export { OrbitControls } from "three/addons/controls/OrbitControls.js";
