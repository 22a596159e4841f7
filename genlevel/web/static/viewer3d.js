// Draws point clouds and meshes that can be turned, in place of their stills. What it gets is described in genlevel/web/media/shapes.py.
import {
  AmbientLight, BufferAttribute, BufferGeometry, DirectionalLight, DoubleSide, Float32BufferAttribute, LineBasicMaterial, LineSegments, Mesh,
  MeshStandardMaterial, OrbitControls, PerspectiveCamera, Points, PointsMaterial, Scene, WebGLRenderer,
} from "./vendor/three.min.js";

const HEADER_BYTES = 60;
const EDGES = [0, 1, 1, 2, 2, 3, 3, 0, 4, 5, 5, 6, 6, 7, 7, 4, 0, 4, 1, 5, 2, 6, 3, 7];

function shapeOf(buffer) {
  const view = new DataView(buffer);
  const magic = String.fromCharCode(...new Uint8Array(buffer, 0, 4));
  const [points, triangles, coloured] = [4, 8, 12].map((at) => view.getUint32(at, true));
  const size = HEADER_BYTES + points * 12 + triangles * 12 + (coloured ? points * 3 : 0);
  if (magic !== "GL3D" || buffer.byteLength !== size) throw new Error("this is no shape");
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(new Float32Array(buffer, HEADER_BYTES, points * 3), 3));
  const after = HEADER_BYTES + points * 12;
  if (triangles) geometry.setIndex(new BufferAttribute(new Uint32Array(buffer, after, triangles * 3), 1));
  if (coloured) geometry.setAttribute("color", new BufferAttribute(new Uint8Array(buffer, after + triangles * 12, points * 3), 3, true));
  const centre = [20, 28, 36].map((at) => view.getFloat64(at, true));
  return { geometry, points, triangles, coloured, centre, half: view.getFloat64(44, true), all: [view.getUint32(52, true), view.getUint32(56, true)] };
}

function drawn({ geometry, triangles, coloured, points }) {
  if (!triangles) {
    const size = points > 50000 ? 0.008 : 0.02;
    return new Points(geometry, new PointsMaterial({ size, vertexColors: Boolean(coloured), color: coloured ? 0xffffff : 0x4a90c8 }));
  }
  geometry.computeVertexNormals();
  const material = { side: DoubleSide, vertexColors: Boolean(coloured), color: coloured ? 0xffffff : 0x9bb7cf, roughness: 0.8 };
  return new Mesh(geometry, new MeshStandardMaterial(material));
}

function boxLines(boxes, { centre, half }, color) {
  const corners = [];
  for (const [x, y, z, dx, dy, dz, yaw] of boxes) {
    const [cos, sin] = [Math.cos(yaw), Math.sin(yaw)];
    const eight = [];
    for (const c of [-0.5, 0.5]) {
      for (const [a, b] of [[0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5], [0.5, -0.5]]) {
        eight.push([x + a * dx * cos - b * dy * sin, y + a * dx * sin + b * dy * cos, z + c * dz]);
      }
    }
    for (const at of EDGES) corners.push(...eight[at].map((side, axis) => (side - centre[axis]) / half));
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new Float32BufferAttribute(corners, 3));
  return new LineSegments(geometry, new LineBasicMaterial({ color }));
}

function told({ points, triangles, all }) {
  const number = (value) => value.toLocaleString("en");
  const parts = triangles ? `${number(triangles)} triangles` : `${number(points)} points`;
  const less = all[0] > points || (all[1] && !triangles) ? ` of a shape of ${number(all[0])} points and ${number(all[1])} triangles` : "";
  return `${parts}${less}. Turn it with the pointer or the arrow keys, come nearer with the wheel or + and -.`;
}

async function show(place) {
  if (!document.createElement("canvas").getContext("webgl2")) return; // without WebGL the still stays
  const response = await fetch(place.dataset.shape);
  if (!response.ok) return;
  const shape = shapeOf(await response.arrayBuffer());
  const canvas = document.createElement("canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", told(shape));
  const renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, preserveDrawingBuffer: true });
  const scene = new Scene();
  scene.add(drawn(shape), new AmbientLight(0xffffff, 1.2));
  const boxes = JSON.parse(place.dataset.boxes || "{}");
  scene.add(boxLines(boxes.label || [], shape, 0x0072b2), boxLines(boxes.answer || [], shape, 0xe69f00));
  const camera = new PerspectiveCamera(45, 4 / 3, 0.01, 100);
  camera.position.set(0.8, 0.6, 2.6);
  const light = new DirectionalLight(0xffffff, 2);
  light.position.set(1, 2, 3);
  camera.add(light);
  scene.add(camera);
  const controls = new OrbitControls(camera, canvas);
  const draw = () => {
    const width = Math.max(1, place.clientWidth);
    renderer.setPixelRatio(Math.min(2, window.devicePixelRatio));
    renderer.setSize(width, (width * 3) / 4, false);
    renderer.render(scene, camera);
  };
  controls.addEventListener("change", draw);
  canvas.addEventListener("keydown", (event) => {
    const turns = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, -0.15], ArrowDown: [0, 0.15] };
    const near = { "+": 0.87, "-": 1.15 };
    if (!(event.key in turns) && !(event.key in near)) return;
    event.preventDefault();
    const radius = camera.position.length() * (near[event.key] || 1);
    const [around, up] = turns[event.key] || [0, 0];
    const azimuth = Math.atan2(camera.position.x, camera.position.z) + around;
    const polar = Math.min(3.1, Math.max(0.04, Math.acos(camera.position.y / camera.position.length()) + up));
    camera.position.set(radius * Math.sin(polar) * Math.sin(azimuth), radius * Math.cos(polar), radius * Math.sin(polar) * Math.cos(azimuth));
    controls.update();
    draw();
  });
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.textContent = told(shape);
  place.replaceChildren(canvas, hint);
  new ResizeObserver(draw).observe(place);
  draw();
}

for (const place of document.querySelectorAll("[data-shape]")) {
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    show(place).catch(() => {}); // the still stays
  });
  seen.observe(place);
}
