"""Image-text models of transformers: BLIP, GIT, ViT-GPT2, Florence-2 and SmolVLM say what a picture shows.

Owns: how each kind is prompted, and what of its output is the caption. Leaves to `bot.images` the decoding, to
`bot.models.runtimes.pytorch` the safe loading. torch is imported when one is loaded.

    model = load(spec, folder, LoadOptions(threads=2))
    model.predict([ImageFile(path)])[0].text        # "two cats on a couch"
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from bot import lazy
from bot.errors import ModelError
from bot.locale import phrases
from bot.models.runtimes.pytorch import SAFE, SAFE_TOKENIZER, available, begin, computing, reading, settled, unloaded, use_threads
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import Caption, ImageFile

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

__all__ = ["Captioner", "available", "load"]

_ = phrases(__file__)

MAX_NEW_TOKENS: Final = 60
INSTRUCTION: Final = "Describe this image in one sentence."
TASK: Final = "<CAPTION>"
"""Source: transformers' Florence2Processor, which turns it into the words that the model was trained with."""
TASKED: Final = ("florence2",)
INSTRUCTED: Final = ("idefics3", "smolvlm")
"""Kinds (`model_type` of config.json) that are told a task, and those that are spoken to in a chat; the others need no words."""
_MARK: Final = lazy.compile(r"<[^<>]{1,24}>")
_REPEATED: Final = lazy.compile(r"\b(\w+)(?: \1\b)+")


class _Processor(Protocol):
    """What makes tensors of pictures and words, and words of tokens."""

    def __call__(self, *, images: Sequence[Image] | Sequence[Sequence[Image]], **options: object) -> Mapping[str, Tensor]: ...
    def batch_decode(self, tokens: Tensor, *, skip_special_tokens: bool) -> list[str]: ...


class Captioner:
    """A loaded image-text model; one thread at a time may use it."""

    batch_rows = 4

    def __init__(self, name: str, network: Any, processor: _Processor, *, kind: str, threads: int) -> None:
        """Keep the model. `kind` is its config's model_type, which says how it is prompted."""
        self._name = name
        self._network = network
        self._processor = processor
        self._instructed = kind in INSTRUCTED
        self._prompt = _prompt(kind, processor)
        self._threads = threads

    def predict(self, batch: Sequence[ImageFile]) -> list[Caption]:
        """Return what each picture shows, in English; "" where the model finds no words.

        Raises:
            ModelError: a file is no decoded picture, or the model fails.
        """
        return [Caption(_sentence(text)) for text in self._generate([_pixels(image.path) for image in batch])] if batch else []

    def close(self) -> None:
        """Release the weights."""
        self._network = None

    def _generate(self, images: list[Image]) -> list[str]:
        import torch  # noqa: PLC0415 - loaded by then

        network = self._network
        if network is None:
            raise unloaded(self._name)
        use_threads(self._threads)
        with computing(self._name), torch.inference_mode():
            inputs = self._inputs(images)
            tokens = network.generate(
                **inputs, generation_config=settled(network.generation_config, max_new_tokens=MAX_NEW_TOKENS, num_beams=1)
            )
            begun = inputs["input_ids"].shape[1] if self._instructed else 0  # a chat model repeats what it was told
            return self._processor.batch_decode(tokens[:, begun:], skip_special_tokens=True)

    def _inputs(self, images: list[Image]) -> Mapping[str, Tensor]:
        if self._instructed:
            own = [[image] for image in images]  # the pictures of each conversation
            return self._processor(images=own, text=[self._prompt] * len(images), return_tensors="pt", padding=True)
        if self._prompt:
            return self._processor(images=images, text=[self._prompt] * len(images), return_tensors="pt", padding=True)
        return self._processor(images=images, return_tensors="pt")


def load(spec: ModelSpec, folder: Path, options: LoadOptions) -> Captioner:
    """Return the model in `folder`.

    Raises:
        UnsafeModelError: it holds no safetensors.
        ModelError: transformers does not know the model, or a file is missing.
    """
    begin(folder, options, spec=spec)
    from transformers import AutoConfig, AutoModelForImageTextToText, VisionEncoderDecoderModel  # noqa: PLC0415 - 5 s and 400 MB

    with reading(spec, folder):
        kind = str(AutoConfig.from_pretrained(folder, **SAFE_TOKENIZER).model_type)
        family: Any = VisionEncoderDecoderModel if kind == "vision-encoder-decoder" else AutoModelForImageTextToText
        network = family.from_pretrained(folder, **SAFE)
        network.eval()
        return Captioner(spec.name, network, _processor(kind, folder), kind=kind, threads=options.threads)


def _processor(kind: str, folder: Path) -> _Processor:
    import transformers  # noqa: PLC0415 - as above

    library: Any = transformers
    if kind != "vision-encoder-decoder":
        return cast("_Processor", library.AutoProcessor.from_pretrained(folder, **SAFE_TOKENIZER))
    pictures = library.AutoImageProcessor.from_pretrained(folder, **SAFE_TOKENIZER)
    return _Pair(pictures, library.AutoTokenizer.from_pretrained(folder, **SAFE_TOKENIZER))


class _Pair:
    """The image processor and the tokenizer of a model that has no processor of both (ViT-GPT2)."""

    def __init__(self, pictures: _Processor, words: _Processor) -> None:
        self._pictures = pictures
        self._words = words

    def __call__(self, *, images: Sequence[Image] | Sequence[Sequence[Image]], **options: object) -> Mapping[str, Tensor]:
        return self._pictures(images=images, **options)

    def batch_decode(self, tokens: Tensor, *, skip_special_tokens: bool) -> list[str]:
        return self._words.batch_decode(tokens, skip_special_tokens=skip_special_tokens)


def _prompt(kind: str, processor: Any) -> str:
    if kind in TASKED:
        return TASK
    if kind in INSTRUCTED:
        turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": INSTRUCTION}]}
        return str(processor.apply_chat_template([turn], add_generation_prompt=True))
    return ""


def _sentence(text: str) -> str:
    """Return a model's words without its marks, without a word said again and again, and without the full stop."""
    words = _REPEATED.sub(r"\1", " ".join(_MARK.sub(" ", text).split()))
    return re.sub(r"(?<!\s)\s+([.,!?])", r"\1", words).strip(" .\"'")


def _pixels(path: Path) -> Image:
    from PIL import Image  # noqa: PLC0415 - heavy

    try:
        with Image.open(path, formats=("PNG", "JPEG")) as file:
            return file.convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        raise ModelError(_("The picture model was given no picture. Nothing was lost; please send the picture again.")) from error
