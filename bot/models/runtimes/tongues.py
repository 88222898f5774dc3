"""How each family of translation models is told the languages.

Owns: recognising a family by the tokens in its vocabulary, and the codes it wants. Leaves to `bot.models.languages` the
table of codes.

    scheme = Scheme.of(tokenizer, "m2m_100", pair=None)
    prefix, first_token = scheme.direct("ko", "en", model="nllb-200-distilled-600m")
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import DirectionError, ModelError
from bot.locale import phrases
from bot.models.languages import TONGUES, name_of
from bot.models.spec import ModelSpec

_ = phrases(__file__)


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a model is told the languages: by a token before the text, by a first token of the answer, or not at all."""

    tokenizer: Any
    kind: str
    pair: tuple[str, str] | None

    @classmethod
    def of(cls, tokenizer: Any, model_type: str, *, pair: tuple[str, str] | None) -> Scheme:
        """Recognise the scheme by the tokens that the vocabulary holds."""
        for kind, sign in (("nllb", "eng_Latn"), ("m2m", "__en__"), ("mbart", "en_XX"), ("madlad", "<2en>")):
            if _knows(tokenizer, sign):
                return cls(tokenizer, kind, None)
        if getattr(tokenizer, "supported_language_codes", None):
            return cls(tokenizer, "marian-many", None)
        if "t5" in model_type:
            return cls(tokenizer, "t5", None)
        return cls(tokenizer, "pair", pair)

    def direct(self, source: str, target: str, *, model: str) -> tuple[str, int | None]:
        """Return (what stands before the text, the answer's first token). Raises DirectionError, ModelError for an unknown language."""
        if self.kind == "pair":
            if self.pair is not None and self.pair != (source, target):
                raise unknown_direction(model, source, target, [self.pair])
            return "", None
        if self.kind == "marian-many":
            return f"{self._marian(target, model)} ", None
        if self.kind == "t5":
            return f"translate {self._english(source, model)} to {self._english(target, model)}: ", None
        if self.kind == "madlad":
            return f"{self._token(f'<2{target}>', target, model)[0]} ", None
        code, answer = self._code(source), self._code(target)
        self._token(self._as_token(code), source, model)
        _text, first = self._token(self._as_token(answer), target, model)
        self.tokenizer.src_lang = code
        return "", first

    def _code(self, language: str) -> str:
        tongue = TONGUES.get(language)
        if tongue is None or self.kind == "m2m":
            return language
        return tongue.nllb if self.kind == "nllb" else tongue.mbart

    def _as_token(self, code: str) -> str:
        return f"__{code}__" if self.kind == "m2m" else code

    def _token(self, token: str, language: str, model: str) -> tuple[str, int]:
        if not _knows(self.tokenizer, token):
            raise _unknown_language(model, language)
        return token, int(self.tokenizer.convert_tokens_to_ids(token))

    def _marian(self, target: str, model: str) -> str:
        codes = [str(code) for code in self.tokenizer.supported_language_codes]
        tongue = TONGUES.get(target)
        names = (target, tongue.iso3, tongue.nllb, "cmn_Hans" if target == "zh" else tongue.iso3) if tongue else (target,)
        for name in names:
            if f">>{name}<<" in codes:
                return f">>{name}<<"
        raise _unknown_language(model, target)

    @staticmethod
    def _english(language: str, model: str) -> str:
        if language not in TONGUES:
            raise _unknown_language(model, language)
        return name_of(language).to("en")


def _knows(tokenizer: Any, token: str) -> bool:
    number = tokenizer.convert_tokens_to_ids(token) if token else None
    return number is not None and number != tokenizer.unk_token_id


def pair_of(tokenizer: Any, spec: ModelSpec, folder: Path) -> tuple[str, str] | None:
    """Return (source, target) of a one-way model: from its tokenizer, its folder's name (`ko-en`), or its two languages."""
    by_iso3 = {tongue.iso3: tongue.iso for tongue in TONGUES.values()}
    said = [str(getattr(tokenizer, name, None) or "").split("_")[0] for name in ("source_lang", "target_lang")]
    tried = (said, folder.name.split("-")[-2:], spec.name.split("-")[-2:], list(spec.languages))
    for names in tried:
        codes = [name if name in TONGUES else by_iso3.get(name, "") for name in names]
        if len(codes) == len(("source", "target")) and all(codes):
            return codes[0], codes[1]
    return None


def unknown_direction(model: str, source: str, target: str, known: Sequence[tuple[str, str]]) -> DirectionError:
    """Return the error of a model that does not translate in this direction; `known` are those that it does."""
    return DirectionError(
        _(
            "The live model {model} does not translate from {source} into {target}. It knows: {known}. "
            "Ask an admin for a model that does.",
            model=model,
            source=name_of(source),
            target=name_of(target),
            known=", ".join(sorted(f"{first} → {second}" for first, second in known)),
        )
    )


def _unknown_language(model: str, language: str) -> ModelError:
    return ModelError(
        _(
            "The live model {model} does not know {language}. Choose another language, or ask an admin for a model that does.",
            model=model,
            language=name_of(language),
        )
    )
