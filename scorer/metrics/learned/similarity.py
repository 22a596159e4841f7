"""How alike two things are to a network that knows both: pictures and texts (CLIP), pictures and pictures, sounds and texts (CLAP).

Or whether a classifier takes two pictures for the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from scorer.metrics.base import NotComparable, Question
from scorer.metrics.entries import files_in
from scorer.metrics.learned.base import LearnedMean, together
from scorer.metrics.learned.inputs import answer_files, description, label_files, of_answer, of_label, said, sound, views
from scorer.metrics.nature import BOUNDED_MEAN, COSINES
from scorer.models import Networks
from scorer.models.ports import AudioText, Floats, ImageClassifier, ImageText, Picture, Sound
from scorer.parsers import Parsed

_STYLE = ("style", "style_text", "style_prompt", "target_style")


def similarity(first: Floats, second: Floats) -> float:
    """The mean over all pairs of rows of max(0, cosine); rows have the length 1. 0..1.

    >>> import numpy as np
    >>> similarity(np.array([[1.0, 0.0], [0.6, 0.8]]), np.array([[0.0, 1.0], [-1.0, 0.0]]))
    0.2
    """
    import numpy as np

    return min(1.0, float(np.maximum(0.0, np.asarray(first, np.float64) @ np.asarray(second, np.float64).T).mean()))


class PictureTextSimilarity(LearnedMean[tuple[list[Picture], str]]):
    """CLIP score of a picture and the text it should show: 100 * mean over instances of max(0, cos(E_I, E_T)), 0..100 %.

    E: unit embeddings of CLIP ViT-B/32. Videos are looked at in 16 frames, evenly spread, point clouds and meshes from 8 sides; an
    answer's pictures count alike. The text: "caption" or "text" of the label or details, a label of text, else the prompt. Source: Hessel
    et al. 2021, without their factor 2.5 (as torchmetrics' CLIPScore, and as the workbook's values of 19-27 have it). Answers without a
    readable picture count 0. Standard error: of a mean.

    >>> import numpy as np
    >>> from scorer.models.twins import Twins
    >>> picture = np.zeros((2, 2, 3), np.uint8)
    >>> picture[...] = [153, 204, 0]
    >>> metric = PictureTextSimilarity(using=Twins())
    >>> [round(found, 6) for found in metric.measured([([picture], "a red ball"), ([picture], "a green ball")])]
    [0.6, 0.8]
    """

    nature = COSINES

    def __init__(self, using: Networks | None = None) -> None:
        super().__init__("clip_score", "clip", using=using)

    def gathered(self, answer: Parsed, question: Question) -> tuple[list[Picture], str]:
        text = description(question)
        return [picture for path in answer_files(answer, question) for picture in of_answer(views, path)], text

    def measured(self, entries: Sequence[tuple[list[Picture], str]]) -> list[float]:
        clip: ImageText = self.network("clip")
        texts = clip.texts([text for _pictures, text in entries])
        pictures = together(clip.pictures, [pictures for pictures, _text in entries])
        return [similarity(rows, texts[index : index + 1]) for index, rows in enumerate(pictures)]


class PictureSimilarity(LearnedMean[tuple[list[Picture], list[list[Picture]]]]):
    """CLIP similarity of pictures: 100 * mean over instances of the highest, over the references, of the mean of max(0, cos), 0..100 %.

    Cosines of unit embeddings of CLIP ViT-B/32, of every picture of the answer with every picture of a reference. References: the
    pictures of the label; for answers in 3D, which are looked at from 8 sides, the picture that was asked about if the label has none;
    a label in 3D is looked at likewise. clip_score of image-to-3D tasks and clip_image_score. Source: Radford et al. 2021; General-Level
    (arXiv 2505.04620), appendix A.1. Standard error: of a mean.

    >>> import numpy as np
    >>> from scorer.models.twins import Twins
    >>> both, green = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    >>> both[...], green[...] = [153, 204, 0], [0, 99, 0]
    >>> metric = PictureSimilarity("clip_image_score", using=Twins())
    >>> [round(found, 6) for found in metric.measured([([both], [[green]]), ([both], [[green], [both]])])]
    [0.8, 1.0]
    """

    nature = COSINES

    def __init__(self, metric_id: str, using: Networks | None = None) -> None:
        super().__init__(metric_id, "clip", using=using)

    def gathered(self, answer: Parsed, question: Question) -> tuple[list[Picture], list[list[Picture]]]:
        references = [of_label(views, path) for path in self.references(question)]
        return [picture for path in answer_files(answer, question) for picture in of_answer(views, path)], references

    def measured(self, entries: Sequence[tuple[list[Picture], list[list[Picture]]]]) -> list[float]:
        groups = [group for given, references in entries for group in (given, *references)]
        clip: ImageText = self.network("clip")
        rows = iter(together(clip.pictures, groups))
        return [
            self.overall([similarity(answer, next(rows)) for _reference in references]) for answer, references in _with_first(rows, entries)
        ]

    def overall(self, found: Sequence[float]) -> float:
        """One number from the similarities to each reference."""
        return max(found)

    def references(self, question: Question) -> list[str]:
        """Paths, at least one. Pictures go before shapes: a label often has both. Raises NotComparable."""
        from scorer.media.views import is_shape

        named = files_in(question.label)
        for found in ([path for path in named if not is_shape(path)], [path for path in question.inputs if not is_shape(path)], named):
            if found:
                return list(found)
        raise NotComparable("neither the label nor the question has a picture to compare with")


class StyleSimilarity(PictureSimilarity):
    """CLIP similarity of an answer to its style reference: 100 * mean over instances of the mean of max(0, cos), 0..100 %.

    Cosines of unit embeddings of CLIP ViT-B/32, of 16 frames of the video, evenly spread, with every style picture: those of the label,
    else those that were asked about. Several references count alike. Source: the style alignment of StyleCrafter (Liu et al. 2023),
    section 5. Standard error: of a mean.

    >>> StyleSimilarity().overall([0.5, 0.7])
    0.6
    """

    def __init__(self, using: Networks | None = None) -> None:
        super().__init__("clip_style", using)

    def overall(self, found: Sequence[float]) -> float:
        return sum(found) / len(found)


class PictureClass(LearnedMean[tuple[list[Picture], list[Picture]]]):
    """50-way accuracy of pictures: 100 * mean over instances of the chance that the class of the label is the likeliest of 50, 0..100 %.

    The class is the one a classifier of ImageNet finds likeliest in the label's picture. It competes, in the picture that was made,
    with 49 other classes drawn at random; of N classes with h likelier than it, it wins with the chance C(N-1-h, 49) / C(N-1, 49),
    which is what drawing again and again tends to. Several pictures, of the answer or the label, count alike. Source: the top-1 accuracy of
    MinD-Vis (Chen et al. 2023), by which the specialist is measured (Bai et al. 2023, DreamDiffusion). Standard error: of a mean.

    >>> [round(chance_of_winning(likelier, 1000), 4) for likelier in (0, 1, 10, 951)]
    [1.0, 0.951, 0.6033, 0.0]
    """

    nature = BOUNDED_MEAN  # chances of being right, not right or wrong
    needs_label = True

    def __init__(self, using: Networks | None = None) -> None:
        super().__init__("accuracy", "picture_classifier", using=using)

    def gathered(self, answer: Parsed, question: Question) -> tuple[list[Picture], list[Picture]]:
        wanted = [picture for path in label_files(question) for picture in of_label(views, path)]
        return [picture for path in answer_files(answer, question) for picture in of_answer(views, path)], wanted

    def measured(self, entries: Sequence[tuple[list[Picture], list[Picture]]]) -> list[float]:
        classifier: ImageClassifier = self.network("picture_classifier")
        shares = together(classifier.shares, [group for entry in entries for group in entry])
        return [_kept(given, wanted) for given, wanted in zip(shares[::2], shares[1::2], strict=True)]


WAYS = 50
"""How many classes compete, the right one included."""


def chance_of_winning(likelier: int, classes: int) -> float:
    """The chance that none of the ``likelier`` classes is among those drawn to compete."""
    drawn = min(WAYS, classes) - 1
    return math.comb(classes - 1 - likelier, drawn) / math.comb(classes - 1, drawn)


def _kept(given: Floats, wanted: Floats) -> float:
    chances = [chance_of_winning(int((row > row[right]).sum()), len(row)) for right in wanted.argmax(axis=1).tolist() for row in given]
    return math.fsum(chances) / len(chances)


class SoundTextSimilarity(LearnedMean[tuple[list[Sound], str]]):
    """CLAP score: 100 * mean over instances of max(0, cos(E_sound, E_text)), 0..100 %.

    E: unit embeddings of CLAP; 10 s of a sound, from its middle, are heard. The text: as of the CLIP score; for style_clap the style
    ("style" of the label or details), else as of clap. Source: Wu et al. 2023 (LAION-CLAP); as of a style: InversionMST (Zhang et al.
    2024). Answers without a readable sound count 0. Standard error: of a mean.

    >>> import numpy as np
    >>> from scorer.models.twins import Twins
    >>> metric = SoundTextSimilarity("clap", using=Twins())
    >>> [round(found, 6) for found in metric.measured([([np.full(8000, 0.5)], "a loud hum"), ([np.full(8000, 0.5)], "rough sea")])]
    [1.0, 0.0]
    """

    nature = COSINES

    def __init__(self, metric_id: str, using: Networks | None = None) -> None:
        super().__init__(metric_id, "clap", using=using)

    def gathered(self, answer: Parsed, question: Question) -> tuple[list[Sound], str]:
        style = said(question, *_STYLE) if self.id == "style_clap" else []
        text = style[0].strip() if style else description(question)
        clap: AudioText = self.network("clap")
        return [of_answer(lambda path: sound(path, clap.rate), path) for path in answer_files(answer, question)], text

    def measured(self, entries: Sequence[tuple[list[Sound], str]]) -> list[float]:
        clap: AudioText = self.network("clap")
        texts = clap.texts([text for _sounds, text in entries])
        sounds = together(clap.sounds, [sounds for sounds, _text in entries])
        return [similarity(rows, texts[index : index + 1]) for index, rows in enumerate(sounds)]


def _with_first(
    rows: Iterator[Floats], entries: Sequence[tuple[list[Picture], list[list[Picture]]]]
) -> Iterator[tuple[Floats, list[list[Picture]]]]:
    for _given, references in entries:
        yield next(rows), references
