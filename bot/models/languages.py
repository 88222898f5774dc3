"""The languages that translation and transcription models know, and what each family of models calls them.

Owns: names and codes. Leaves to `bot.language` which language a text is in, and to a skill how people name one.

    TONGUES["ko"].nllb              # "kor_Hang"
    name_of("ko").to("ko")          # "한국어"
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.locale import Text, phrases

_ = phrases(__file__)


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language: ISO 639-1, its name, ISO 639-3, and the codes of NLLB and mBART-50 ("" where a family lacks it)."""

    iso: str
    name: Text
    iso3: str
    nllb: str
    mbart: str


# Source: FAIRSEQ_LANGUAGE_CODES in transformers' tokenization_nllb.py and tokenization_mbart50.py; ISO 639.
_KNOWN: Final = (
    Tongue("af", _("Afrikaans"), "afr", "afr_Latn", "af_ZA"),
    Tongue("am", _("Amharic"), "amh", "amh_Ethi", ""),
    Tongue("ar", _("Arabic"), "ara", "arb_Arab", "ar_AR"),
    Tongue("az", _("Azerbaijani"), "aze", "azj_Latn", "az_AZ"),
    Tongue("be", _("Belarusian"), "bel", "bel_Cyrl", ""),
    Tongue("bg", _("Bulgarian"), "bul", "bul_Cyrl", ""),
    Tongue("bn", _("Bengali"), "ben", "ben_Beng", "bn_IN"),
    Tongue("bs", _("Bosnian"), "bos", "bos_Latn", ""),
    Tongue("ca", _("Catalan"), "cat", "cat_Latn", ""),
    Tongue("cs", _("Czech"), "ces", "ces_Latn", "cs_CZ"),
    Tongue("cy", _("Welsh"), "cym", "cym_Latn", ""),
    Tongue("da", _("Danish"), "dan", "dan_Latn", ""),
    Tongue("de", _("German"), "deu", "deu_Latn", "de_DE"),
    Tongue("el", _("Greek"), "ell", "ell_Grek", ""),
    Tongue("en", _("English"), "eng", "eng_Latn", "en_XX"),
    Tongue("eo", _("Esperanto"), "epo", "epo_Latn", ""),
    Tongue("es", _("Spanish"), "spa", "spa_Latn", "es_XX"),
    Tongue("et", _("Estonian"), "est", "est_Latn", "et_EE"),
    Tongue("eu", _("Basque"), "eus", "eus_Latn", ""),
    Tongue("fa", _("Persian"), "fas", "pes_Arab", "fa_IR"),
    Tongue("fi", _("Finnish"), "fin", "fin_Latn", "fi_FI"),
    Tongue("fr", _("French"), "fra", "fra_Latn", "fr_XX"),
    Tongue("ga", _("Irish"), "gle", "gle_Latn", ""),
    Tongue("gl", _("Galician"), "glg", "glg_Latn", "gl_ES"),
    Tongue("gu", _("Gujarati"), "guj", "guj_Gujr", "gu_IN"),
    Tongue("ha", _("Hausa"), "hau", "hau_Latn", ""),
    Tongue("he", _("Hebrew"), "heb", "heb_Hebr", "he_IL"),
    Tongue("hi", _("Hindi"), "hin", "hin_Deva", "hi_IN"),
    Tongue("hr", _("Croatian"), "hrv", "hrv_Latn", "hr_HR"),
    Tongue("hu", _("Hungarian"), "hun", "hun_Latn", ""),
    Tongue("hy", _("Armenian"), "hye", "hye_Armn", ""),
    Tongue("id", _("Indonesian"), "ind", "ind_Latn", "id_ID"),
    Tongue("is", _("Icelandic"), "isl", "isl_Latn", ""),
    Tongue("it", _("Italian"), "ita", "ita_Latn", "it_IT"),
    Tongue("ja", _("Japanese"), "jpn", "jpn_Jpan", "ja_XX"),
    Tongue("jv", _("Javanese"), "jav", "jav_Latn", ""),
    Tongue("ka", _("Georgian"), "kat", "kat_Geor", "ka_GE"),
    Tongue("kk", _("Kazakh"), "kaz", "kaz_Cyrl", "kk_KZ"),
    Tongue("km", _("Khmer"), "khm", "khm_Khmr", "km_KH"),
    Tongue("kn", _("Kannada"), "kan", "kan_Knda", ""),
    Tongue("ko", _("Korean"), "kor", "kor_Hang", "ko_KR"),
    Tongue("ky", _("Kyrgyz"), "kir", "kir_Cyrl", ""),
    Tongue("lo", _("Lao"), "lao", "lao_Laoo", ""),
    Tongue("lt", _("Lithuanian"), "lit", "lit_Latn", "lt_LT"),
    Tongue("lv", _("Latvian"), "lav", "lvs_Latn", "lv_LV"),
    Tongue("mg", _("Malagasy"), "mlg", "plt_Latn", ""),
    Tongue("mk", _("Macedonian"), "mkd", "mkd_Cyrl", "mk_MK"),
    Tongue("ml", _("Malayalam"), "mal", "mal_Mlym", "ml_IN"),
    Tongue("mn", _("Mongolian"), "mon", "khk_Cyrl", "mn_MN"),
    Tongue("mr", _("Marathi"), "mar", "mar_Deva", "mr_IN"),
    Tongue("ms", _("Malay"), "msa", "zsm_Latn", ""),
    Tongue("my", _("Burmese"), "mya", "mya_Mymr", "my_MM"),
    Tongue("ne", _("Nepali"), "nep", "npi_Deva", "ne_NP"),
    Tongue("nl", _("Dutch"), "nld", "nld_Latn", "nl_XX"),
    Tongue("no", _("Norwegian"), "nor", "nob_Latn", ""),
    Tongue("pa", _("Punjabi"), "pan", "pan_Guru", ""),
    Tongue("pl", _("Polish"), "pol", "pol_Latn", "pl_PL"),
    Tongue("ps", _("Pashto"), "pus", "pbt_Arab", "ps_AF"),
    Tongue("pt", _("Portuguese"), "por", "por_Latn", "pt_XX"),
    Tongue("ro", _("Romanian"), "ron", "ron_Latn", "ro_RO"),
    Tongue("ru", _("Russian"), "rus", "rus_Cyrl", "ru_RU"),
    Tongue("si", _("Sinhala"), "sin", "sin_Sinh", "si_LK"),
    Tongue("sk", _("Slovak"), "slk", "slk_Latn", ""),
    Tongue("sl", _("Slovenian"), "slv", "slv_Latn", "sl_SI"),
    Tongue("so", _("Somali"), "som", "som_Latn", ""),
    Tongue("sq", _("Albanian"), "sqi", "als_Latn", ""),
    Tongue("sr", _("Serbian"), "srp", "srp_Cyrl", ""),
    Tongue("sv", _("Swedish"), "swe", "swe_Latn", "sv_SE"),
    Tongue("sw", _("Swahili"), "swa", "swh_Latn", "sw_KE"),
    Tongue("ta", _("Tamil"), "tam", "tam_Taml", "ta_IN"),
    Tongue("te", _("Telugu"), "tel", "tel_Telu", "te_IN"),
    Tongue("tg", _("Tajik"), "tgk", "tgk_Cyrl", ""),
    Tongue("th", _("Thai"), "tha", "tha_Thai", "th_TH"),
    Tongue("tl", _("Tagalog"), "tgl", "tgl_Latn", "tl_XX"),
    Tongue("tr", _("Turkish"), "tur", "tur_Latn", "tr_TR"),
    Tongue("uk", _("Ukrainian"), "ukr", "ukr_Cyrl", "uk_UA"),
    Tongue("ur", _("Urdu"), "urd", "urd_Arab", "ur_PK"),
    Tongue("uz", _("Uzbek"), "uzb", "uzn_Latn", ""),
    Tongue("vi", _("Vietnamese"), "vie", "vie_Latn", "vi_VN"),
    Tongue("xh", _("Xhosa"), "xho", "xho_Latn", "xh_ZA"),
    Tongue("yi", _("Yiddish"), "yid", "ydd_Hebr", ""),
    Tongue("yo", _("Yoruba"), "yor", "yor_Latn", ""),
    Tongue("zh", _("Chinese"), "zho", "zho_Hans", "zh_CN"),
    Tongue("zu", _("Zulu"), "zul", "zul_Latn", ""),
)

TONGUES: Final = MappingProxyType({tongue.iso: tongue for tongue in _KNOWN})
"""By ISO 639-1."""


def name_of(iso: str) -> Text:
    """Return the name of the language, its code where it is not listed."""
    tongue = TONGUES.get(iso)
    return tongue.name if tongue else Text(iso.replace("{", "").replace("}", ""))
