"""What a workbook's metric label means on one task, because the workbook uses several labels in more than one sense.

The senses are parameters of the metric:
    of      what is compared: tokens or items (F1), roc or success_plot (AUC), boxes or anomaly_score (AP), boxes, masks or
            keypoints (AP at an IoU, mAP), masks (each answer's IoU) or classes (each class's over the data set; mIoU), image_text,
            image_image or frame_consistency (CLIP score), detector, viclip or action_classifier (success rate),
            picture_class (accuracy of pictures), speech or text (CIDEr), inception or motion (FID), normals or picture (RMSE)
    level   sentence or corpus (BLEU)
    iou     IoU threshold as a fraction
    match   iou or centre_distance (mAP of boxes in space)
    void    numbers of classes that do not count, with spaces between them (mIoU of classes)
    k       how many predictions count (recall)

Source: the rows of the official workbook with their reference values and data sources; "inferred" marks a sense that neither
the paper nor the official code states.
"""

from __future__ import annotations

import re

Parameters = dict[str, str]

_AT = re.compile(r"(?P<name>AP|mAP|R|Recall|AP@|mAP@)[@_ ]?(?P<at>0?\.\d+|\d{1,3})", re.IGNORECASE)

# Senses of single rows, by the workbook's exact name.
_BY_TASK: dict[tuple[str, str], Parameters] = {
    # The specialist's own measure: whether a classifier sees the same in the picture made as in the one looked at (inferred).
    ("accuracy", " EEG-based Image Generation"): {"of": "picture_class"},
    ("f1", "Speech Event Extraction"): {"of": "items"},
    ("f1", "Multimodal Named Entity Recognition"): {"of": "items"},
    ("f1", "Multimodal Relation Extraction"): {"of": "items"},
    ("auc", "Infection-map Generation"): {"of": "roc"},
    ("rmse", "3D Normal Estimation"): {"of": "normals"},
    ("rmse", "Image Shadow Removal"): {"of": "picture"},
    ("ap_at_iou", "Pedestrian Instance Segmentation"): {"of": "masks"},
    ("ap_at_iou", "Vehicle Instance Segmentation"): {"of": "masks"},
    ("ap_at_iou", "Person Keypoint Detection"): {"of": "keypoints"},
    # The references, below 1e-4, are of the specialist's distances squared: no plain distance of sampled points gets there (inferred).
    ("chamfer", "Point Cloud to Mesh Object Reconstruction"): {"of": "squared"},
    ("chamfer", "Point Cloud to Mesh Scene Reconstruction"): {"of": "squared"},
    ("map", "3D Indoor Instance Segmentation"): {"of": "masks"},
    # nuScenes' own mAP: the specialist's published 68.5 is in it.
    ("map", "3D Detection"): {"of": "boxes_3d", "match": "centre_distance"},
    # Pictures of many classes, without the word in their names.
    ("miou", "BobRoss Painting Segmentation"): {"of": "classes"},
    ("miou", "People Clothing Segmentation"): {"of": "classes"},
    # 0 is "unlabelled" in NYUv2 and SemanticKITTI, and does not count (inferred from the data sets' own rules).
    ("miou", "Indoor Semantic Segmentation"): {"void": "0"},
    ("miou", "RGBD Semantic Segmentation"): {"void": "0"},
    ("miou", "3D Outdoor Semantic Segmentation"): {"void": "0"},
    ("clip_score", "Background-Consistency Text to Video Geneation"): {"of": "frame_consistency"},
    ("success_rate", "Camera Motion Video Generation"): {"of": "viclip"},
    ("success_rate", "Material-Specific Text to Video Generation"): {"of": "viclip"},
    ("success_rate", "Action-Specific Text to Video Generation"): {"of": "action_classifier"},
    ("cider", "ImageToSpeech"): {"of": "speech"},
    ("fid", "Text to 3D Motion Generation"): {"of": "motion"},
}


def meaning(label: str, sheet: str, task_name: str, metric_id: str | None) -> tuple[str | None, Parameters]:
    """Metric id (None: unknown label) and parameters. metric_id: what the label alone means, None if it is not listed."""
    at = _AT.fullmatch(" ".join(label.split()))
    if at is not None and (metric_id is None or metric_id in _THRESHOLDED):
        metric_id, parameters = _thresholded(at["name"].rstrip("@").casefold(), at["at"])
    else:
        parameters = {}
    if metric_id is None:
        return None, {}
    parameters = _usual_sense(metric_id, sheet.casefold(), task_name) | parameters
    return metric_id, parameters | _BY_TASK.get((metric_id, task_name), {})


_THRESHOLDED = {"ap_at_iou", "map", "recall_at_k"}


def _thresholded(name: str, at: str) -> tuple[str | None, Parameters]:
    if name in ("r", "recall"):
        return ("recall_at_k", {"k": at}) if at.isdigit() and int(at) > 0 else (None, {})
    iou = float(at) if "." in at else int(at) / 100
    if not 0 < iou <= 1:
        return None, {}
    return ("map" if name == "map" else "ap_at_iou"), {"iou": f"{iou:g}"}


def _usual_sense(metric_id: str, sheet: str, task_name: str) -> Parameters:
    match metric_id:
        case "bleu_1":
            return {"level": "corpus" if sheet == "video-comprehension" else "sentence"}
        case "bleu_4":
            return {"level": "sentence"}
        case "f1":
            return {"of": "tokens"}
        case "auc":
            return {"of": "success_plot" if sheet.startswith("video") else "roc"}
        case "average_precision":
            return {"of": "anomaly_score" if "anomaly" in task_name.casefold() else "boxes"}
        case "ap_at_iou":
            return {"of": "boxes", "iou": "0.5"}
        case "map":
            return {"of": "boxes_3d" if sheet.startswith("3d") else "boxes"}
        case "miou":
            return {"of": "classes" if "semantic segmentation" in task_name.casefold() else "masks"}
        case "recall_at_k":
            return {"k": "50"}
        case "clip_score":
            # References of image-to-3D rows are 77-84 (image against image), of the others 19-27 (text against image).
            return {"of": "image_image" if sheet.startswith("3d") and "image to 3d" in task_name.casefold() else "image_text"}
        case "success_rate":
            return {"of": "detector"}  # inferred for the colour row
        case "cider":
            return {"of": "text"}
        case "fid":
            return {"of": "inception"}
        case _:
            return {}
