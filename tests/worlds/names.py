"""200 names in every script that the fonts have: letters drawn by lot and fictional words, nobody's name."""

import random
import unicodedata
from functools import cache

SCRIPTS = {
    "Latin": "az",
    "Latin with accents": "àž",
    "Vietnamese": "ạỹ",
    "Greek": "αω",
    "Cyrillic": "бя",
    "Armenian": "աֆ",
    "Georgian": "აჰ",
    "Hebrew": "את",
    "Arabic": "بي",
    "Thaana": "ހޥ",
    "NKo": "ߊߪ",
    "Devanagari": "कह",
    "Bengali": "কহ",
    "Gurmukhi": "ਕਹ",
    "Gujarati": "કહ",
    "Oriya": "କହ",
    "Tamil": "கஹ",
    "Telugu": "కహ",
    "Kannada": "ಕಹ",
    "Malayalam": "കഹ",
    "Sinhala": "කහ",
    "Thai": "กฮ",
    "Lao": "ກຮ",
    "Khmer": "កហ",
    "Myanmar": "ကအ",
    "Ethiopic": "ሀፐ",
    "Tifinagh": "ⴰⵥ",
    "Cherokee": "\N{CHEROKEE LETTER A}\N{CHEROKEE LETTER YV}",
    "Canadian Aboriginal": "ᐁᒉ",
    "Ol Chiki": "ᱚᱽ",
    "Hiragana": "あん",
    "Katakana": "アン",
    "Korean": "가힣",
    "Emoji": "😀😎",
}
"""The first and the last of a range of letters, by what they are called."""
HAN = b"".join(bytes([row, place]) for row in range(0xB0, 0xD7) for place in range(0xA1, 0xFF)).decode("gb2312")
"""The Chinese characters that are in common use."""
WRITTEN = (
    "सातवीं सदस्या शिक्षक मित्र",
    "ক্ষুদ্র নদীর সপ্তম সদস্য",
    "ஏழாவது உறுப்பினர்",
    "สมาชิกคนที่เจ็ดของวงแม่น้ำ",
    "សមាជិកទីប្រាំពីរ",
    "အဖွဲ့ဝင်ခုနစ်",
    "عضو الدائرة السابع",
    "חבר המעגל השביעי",
    "عضوِ هفتمِ می\N{ZERO WIDTH NON-JOINER}خوانیم",
    "第七位組員",
    "第七小组成员",
    "七人目のメンバー",
    "일곱째 구성원",
    "Thành viên thứ bảy",
    "Седьмой участник",
    "Έβδομο μέλος",
    "\N{PARTY POPPER} Member \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} Seven",
    "\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}",
    "Member \N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16} חבר 7 عضو",
    "Zoë \N{LATIN SMALL LETTER E}\N{COMBINING ACUTE ACCENT} O'Member-Ÿ",
    "#set page() *b* _ $x$ @a <script>",
)
"""Names with what is hard in their scripts: ligatures, marks, joined signs, two directions, and what looks like markup."""
LENGTHS = (1, 9, 40, 120, 300)
COUNT = 200


@cache
def names() -> tuple[str, ...]:
    """Return the names, the same each time; none has more than 300 letters."""
    chance = random.Random(13)
    made = [*WRITTEN]
    kinds = [*map(_letters, SCRIPTS.values()), HAN]
    while len(made) < COUNT:
        place = len(made) - len(WRITTEN)
        length = LENGTHS[place // len(kinds) % len(LENGTHS)]
        made.append(_name(chance, kinds[place % len(kinds)], length))
    return tuple(made)


def _letters(pair: str) -> str:
    codes = map(chr, range(ord(pair[0]), ord(pair[1]) + 1))
    return "".join(letter for letter in codes if unicodedata.category(letter)[0] in "LS")


def _name(chance: random.Random, letters: str, length: int) -> str:
    drawn = "".join(chance.choice(letters) + (" " if chance.random() < 0.12 else "") for _ in range(length))
    return drawn[:length].strip()
