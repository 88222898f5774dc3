"""Words by which a sentence shows what it does in a text, in English and Korean.

Owns: the patterns. Each is a fact of the language, not of a data set: what announces a claim, an intention, a mere
acknowledgement, an afterthought, a report of somebody's words. Leaves to `skills.summarise.evidence` what they are worth.

    CLAIM.search("In this paper we propose a smaller knife.")   # a match
"""

from __future__ import annotations

import re

from bot import lazy

_CLAIM_EN = (
    r"\b(?:we|i|this (?:paper|work|study|article|report|thesis|post))\b[^.]{0,40}?\b(?:propos|introduc|present|show|demonstrat|develop|"
    r"describ|stud(?:y|ies|ied)|investigat|provid|explor|analy[sz]|address|aim|find|found|argue|suggest|report|devis|design|examin|"
    r"evaluat|compar|prov|establish|formulat|extend|conclude)|\b(?:in conclusion|to sum up|in short|overall|in summary|results? "
    r"(?:show|suggest|indicat)|main|key|goal|purpose|importantly|bottom line)\b"
)
_CLAIM_KO = (
    r"(?:본|이번?)\s?(?:논문|연구|글|보고서|기사|조사)|제안(?:한|하|했|된)|제시(?:한|하|했)|결론(?:적으로|은|을|이)?|요컨대|요약하(?:면|자면)|"
    r"결과(?:는|적으로|에 따르면|,)|핵심|목적은|목표는|무엇보다|한마디로|밝혀(?:졌|냈)|것으로 나타났"
)
_INTENT_EN = (
    r"\b(?:will|'ll|going to|gonna|let's|let us|need|must|should|have to|has to|want|would like|'d like|plan|decid\w+|agree\w*|"
    r"promise\w*|suggest\w*|recommend\w*|offer\w*|invite\w*|please|problem|because|deadline|by (?:mon|tues|wednes|thurs|fri)day)\b"
)
_INTENT_KO = (
    r"하기로|합시다|하자|[가-힣]자$|[할을]게요?|[할을]까요?|해야|려고|예정|계획|부탁|주세요|주시|해\s?줘|줄래|필요|문제|때문|결정|마감|까지|"
    r"겠습니다|겠어요|으면 좋|면 좋겠|싶|약속|동의|추천"
)
_NOD_EN = (
    r"^\W*(?:yes|yeah|yep|no|nope|ok|okay|sure|right|well|oh|hi|hello|hey|thanks?|thank you|bye|goodbye|great|good|fine|of course|"
    r"really|i see|agreed|same here|me too|perfect|nice|cool|haha|lol|dear|"
    r"i hope (?:you|this)|(?:kind|best|warm) regards|all right|alright|wow|sorry|excuse me|exactly|absolutely|"
    r"certainly|here you are|good (?:morning|afternoon|evening))\b"
)
_NOD_KO = (
    r"^\W*(?:네|예|넵|넹|응|어|음|그래요?|맞아요?|맞습니다|아니요?|안녕|감사|고마|고맙|알겠|알았|좋아요?|좋습니다|오|와|아|ㅇㅇ|ㅇㅋ|ㄱㅅ|[ㅋㅎㅠㅜ]+|수고|"
    r"오케이|정말요?|진짜요?|그렇군요?|그렇죠|"
    r"죄송|미안|저도요?|나도|동의(?:합니다|해요)?)(?![가-힣])|^\W*(?:안녕|다들 안녕|여러분 안녕|"
    r"주말 잘|[^.!?]{0,25}\s잘 (?:받았|봤)(?:습니다|어요)|잘 (?:지내|보내)|감사|고마|고맙|알겠|수고|죄송|미안)"
)
_AFTERTHOUGHT = (
    r"^\W*(?:(?:however|but|moreover|furthermore|in addition|additionally|for example|for instance|specifically|in particular|also|"
    r"further|similarly|meanwhile)\b|(?:그러나|하지만|그런데|또한?|예를 들어|예컨대|특히|그리고|더불어|아울러|한편|이밖에|그래서)(?![가-힣]))"
)
_LEANING = (
    r"^\W*(?:(?:he|she|they) |(?:그는|그녀는|그들은|이들은|이는|이것은|이를|이 때문에|그 결과)(?![가-힣]))|"
    r"(?:때문|위해서|덕분|탓)(?:이다|다|입니다|이에요|예요)\W*$"
)
_REPORT = (
    r"\b(?:said|says|told|according to|reported|announced|reuters|afp)\b|\(ap\)|(?:밝혔|말했|전했|설명했|덧붙였|강조했|"
    r"알려졌|나타났|보도했|발표했|지적했)다|에 따르면|연합뉴스|기자\b"
)

CLAIM = lazy.compile(f"{_CLAIM_EN}|{_CLAIM_KO}", re.IGNORECASE)
"""What a text claims, contributes, concludes."""
INTENT = lazy.compile(f"{_INTENT_EN}|{_INTENT_KO}", re.IGNORECASE)
"""What somebody will do, wants or asks for: what is remembered of a talk."""
NOD = lazy.compile(f"{_NOD_EN}|{_NOD_KO}", re.IGNORECASE)
"""Greetings, thanks, agreement: a turn that carries little."""
AFTERTHOUGHT = lazy.compile(_AFTERTHOUGHT, re.IGNORECASE)
"""A sentence that leans on the one before."""
LEANING = lazy.compile(_LEANING, re.IGNORECASE)
"""A sentence that nobody understands without the one before: who `they` are, of what it is the reason."""
REPORT = lazy.compile(_REPORT, re.IGNORECASE)
"""Somebody's words or a fact as a newspaper tells them."""
CONNECTIVE = lazy.compile(
    r"(?:(?:However|Moreover|Furthermore|In addition|Additionally|Also|Further|Similarly|Meanwhile|Therefore|Thus|Hence|Finally|"
    r"Specifically|In particular|Well|Oh|So),\s+|(?:But|And|So)\s+(?=[a-z])|"
    r"(?:그러나|하지만|그런데|또한|그리고|더불어|아울러|한편|따라서|그래서|이에),?\s+)(?=\S)"
)
"""What ties a sentence to the one before it, and is dropped where that one is not there."""
NAME_INSIDE = lazy.compile(r"(?<=[a-z,;] )[A-Z][\w'-]+")
"""A capitalised word inside a sentence."""
