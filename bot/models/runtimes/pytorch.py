"""What all runtimes over torch share: safe loading, threads, arithmetic, and sentences for what goes wrong.

Owns: the arguments that keep `from_pretrained` on local safetensors files without foreign code, and the translation of
foreign errors. Leaves to each runtime what it does with a model. Imports torch and transformers inside functions only.

    with reading(spec, folder):
        model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32, **SAFE)
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from bot.errors import ModelError, ParingError, UnsafeModelError
from bot.locale import phrases
from bot.models.spec import LoadOptions, ModelSpec

if TYPE_CHECKING:
    import torch

_ = phrases(__file__)
_log = logging.getLogger(__name__)

SAFE_TOKENIZER: Final[Mapping[str, Any]] = MappingProxyType({"local_files_only": True, "trust_remote_code": False})
SAFE: Final[Mapping[str, Any]] = MappingProxyType({**SAFE_TOKENIZER, "use_safetensors": True})
"""Keyword arguments of every `from_pretrained`: files that are here, no pickle, no code of the model's own."""

_FOREIGN: Final = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    RuntimeError,
    TypeError,
    AttributeError,
    ImportError,
    AssertionError,
)
"""What the libraries raise over a folder that is not what it should be. RuntimeError holds torch's own."""


def available() -> bool:
    """Say whether torch and transformers are installed, without importing them."""
    return find_spec("torch") is not None and find_spec("transformers") is not None


def begin(folder: Path, options: LoadOptions, *, spec: ModelSpec) -> None:
    """Set up torch and transformers, and refuse a folder without weights in safetensors.

    Raises:
        UnsafeModelError: there is no *.safetensors file in the folder or a folder in it.
    """
    if next(folder.glob("*.safetensors"), None) is None and next(folder.glob("*/*.safetensors"), None) is None:
        raise UnsafeModelError(
            _(
                "The model {model} was not loaded: its folder holds no .safetensors file, and other formats can run code. "
                "Bring its safetensors version.",
                model=spec.name,
            )
        )
    use_threads(options.threads)
    from transformers.utils import logging  # noqa: PLC0415 - heavy

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def use_threads(threads: int) -> None:
    """Have torch compute with `threads` threads in the calling thread; 0 leaves its own choice."""
    import torch  # noqa: PLC0415 - heavy

    if threads > 0 and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


@cache
def quick_dtype() -> torch.dtype:
    """Return bfloat16 where the processor multiplies it, else float32: half the memory for large models."""
    import torch  # noqa: PLC0415 - heavy

    native = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return torch.bfloat16 if native is not None and native() else torch.float32


@contextmanager
def reading(spec: ModelSpec, folder: Path) -> Iterator[None]:
    """Turn what a library raises over a model's files into a ModelError, and keep its warnings off the screen."""
    from safetensors import SafetensorError  # noqa: PLC0415 - heavy

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ParingError:
        raise
    except (*_FOREIGN, SafetensorError) as error:
        _log.warning("loading %s: %s", spec.name, _first_line(error))
        raise ModelError(
            _(
                "The model {model} in the folder {folder} cannot be loaded ({reason}). Nothing was changed; "
                "check that all its files are there and whole. The log says more.",
                model=spec.name,
                folder=folder.name,
                reason=type(error).__name__,
            )
        ) from error


@contextmanager
def computing(model: str) -> Iterator[None]:
    """Turn what torch raises while it computes into a ModelError."""
    try:
        yield
    except ParingError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError, AttributeError, KeyError) as error:
        _log.warning("%s failed", model, exc_info=error)  # in the program's words: the error may quote what was given to it
        raise ModelError(
            _(
                "The model {model} failed over this. Nothing was lost; try something shorter, or ask an admin to look.",
                model=model,
            )
        ) from error


def unloaded(model: str) -> ModelError:
    """Return the error of a model that was closed while it was asked."""
    return ModelError(_("The model {model} was unloaded while it was asked. Nothing was lost; please ask again.", model=model))


def settled(generation: Any, **changes: object) -> Any:
    """Return a copy of a model's GenerationConfig: greedy or beams, never sampled, its lengths told by `changes` alone."""
    config = copy.deepcopy(generation)
    fixed: dict[str, object] = dict.fromkeys(("temperature", "top_p", "top_k", "typical_p", "max_length"))
    for name, value in {**fixed, "do_sample": False, "min_length": 0, **changes}.items():
        setattr(config, name, value)
    return config


def by_length(lengths: Sequence[int], *, rows: int, cells: int) -> Iterator[list[int]]:
    """Yield batches of indices, longest first: at most `rows` of them, and at most `cells` tokens with their padding."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    while order:
        take = max(1, min(rows, cells // max(lengths[order[0]], 1)))
        yield order[:take]
        order = order[take:]


def _first_line(error: BaseException) -> str:
    """Return the kind of an error and the head of what it says, for the log."""
    line = str(error).strip().splitlines()
    return f"{type(error).__name__}: {line[0][:160]}" if line else type(error).__name__
