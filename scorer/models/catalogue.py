"""The networks that metrics need: where their published weights are, in which form they are read, and what has to be installed.

Forms:
    transformers  a folder as the Hugging Face hub has them (config.json, *.safetensors, tokenizer), or a hub id
    torchscript   one file that holds network and weights (torch.jit.save); its inputs and outputs are given below
    onnx          one file, likewise
    torchvision, torch_fidelity   a file of that library's own weights (a state dict)
    pocketsphinx  the package's own model
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Network:
    """One network.

    default: a hub id, a package's name, or "": a file that has to be named. imports: modules that must be there. extra: which
    of the project's extras brings them. form: what is read (see above), with inputs and outputs if it is a file.
    """

    name: str
    purpose: str
    default: str
    imports: tuple[str, ...]
    extra: str
    form: str

    @property
    def variable(self) -> str:
        """The environment variable that names its weights."""
        return f"GENLEVEL_WEIGHTS_{self.name.upper()}"


_TRANSFORMERS = ("torch", "transformers")
_VISION = ("torch", "transformers", "torchvision")

NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (
        Network(
            "clip", "CLIP ViT-B/32, pictures and texts", "openai/clip-vit-base-patch32", _VISION, "vision", "transformers: a CLIP model"
        ),
        Network(
            "clip_large",
            "CLIP ViT-L/14, pictures for the aesthetic head",
            "openai/clip-vit-large-patch14",
            _VISION,
            "vision",
            "transformers: a CLIP model",
        ),
        Network(
            "dino", "DINO ViT-B/16, features of frames", "facebook/dino-vitb16", _VISION, "vision", "transformers: a ViT or DINOv2 model"
        ),
        Network(
            "picture_classifier",
            "classes of ImageNet in pictures",
            "google/vit-base-patch16-224",
            _VISION,
            "vision",
            "transformers: a model for picture classification",
        ),
        Network(
            "inception",
            "Inception v3 as FID uses it (2015-12-05), 2048 features",
            "",
            ("torch", "torchvision", "torch_fidelity"),
            "vision",
            "torch_fidelity: its weights-inception-2015-12-05 file; or torchscript: uint8 (n, 3, H, W) -> float (n, d), called with "
            "return_features=True if it takes that",
        ),
        Network(
            "aesthetic_head",
            "LAION's linear aesthetic head on CLIP ViT-L/14",
            "",
            ("torch",),
            "vision",
            "a state dict (.pth or .safetensors) with weight (1, d) and bias (1)",
        ),
        Network(
            "musiq",
            "MUSIQ, picture quality without a reference",
            "",
            ("torch",),
            "vision",
            "torchscript: float32 (1, 3, H, W), RGB 0..1 -> one number 0..100",
        ),
        Network(
            "detector",
            "open-vocabulary detection",
            "google/owlv2-base-patch16-ensemble",
            _VISION,
            "vision",
            "transformers: an OWL-ViT, OWLv2 or Grounding DINO model",
        ),
        Network(
            "i3d",
            "I3D (Kinetics-400), features of clips",
            "",
            ("torch",),
            "video",
            "torchscript: float32 (n, 3, 16, 224, 224), RGB -1..1 -> float (n, d); one that takes rescale, resize and return_features is "
            "given 0..255 and these",
        ),
        Network(
            "viclip",
            "ViCLIP, clips and texts",
            "",
            ("torch", "transformers"),
            "video",
            "torchscript with the methods encode_video: float32 (n, 8, 3, 224, 224), normalised as CLIP's -> (n, d), and encode_text: "
            "int64 (n, 77), CLIP's tokens -> (n, d); tokens are made by the clip network's tokenizer",
        ),
        Network(
            "action_classifier",
            "actions in clips",
            "MCG-NJU/videomae-base-finetuned-kinetics",
            _VISION,
            "video",
            "transformers: a model for video classification",
        ),
        Network(
            "raft", "RAFT, optical flow", "", ("torch", "torchvision"), "video", "torchvision: the weights of raft_large or raft_small"
        ),
        Network(
            "interpolator",
            "AMT-S or another frame interpolation, for motion smoothness",
            "",
            ("torch",),
            "video",
            "torchscript: two float32 (1, 3, H, W), RGB 0..1, H and W multiples of 16 -> the frame between them, likewise",
        ),
        Network(
            "motion",
            "features of human motions",
            "",
            ("torch",),
            "video",
            "torchscript: float32 (1, T, D) -> float (1, d)",
        ),
        Network(
            "vggish",
            "VGGish, features of sounds",
            "",
            ("torch",),
            "audio",
            "torchscript: float32 (n, 1, 96, 64), log mel examples of 0.96 s -> float (n, 128)",
        ),
        Network("clap", "CLAP, sounds and texts", "laion/clap-htsat-unfused", _TRANSFORMERS, "audio", "transformers: a CLAP model"),
        Network(
            "recogniser",
            "speech recognition",
            "openai/whisper-large-v3",
            _TRANSFORMERS,
            "audio",
            'transformers: a Whisper model; or the word "pocketsphinx": that package\'s English model',
        ),
        Network(
            "dnsmos",
            "DNSMOS P.835, predicted mean opinion scores",
            "speechmos",
            ("onnxruntime",),
            "audio",
            "onnx: sig_bak_ovr.onnx of the speechmos package, or its path: float32 (1, 144160), 16 kHz -> (1, 3), overall quality last",
        ),
        Network(
            "utmos",
            "UTMOS, predicted mean opinion scores",
            "",
            ("torch",),
            "audio",
            "torchscript: float32 (1, samples), 16 kHz -> one number 1..5",
        ),
    )
}
