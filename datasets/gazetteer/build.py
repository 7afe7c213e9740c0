#!/usr/bin/env python3
"""Writes aliases-generated.csv from the CIA World Factbook, CLDR and the patterns below.

usage: build.py FACTBOOK.csv CLDR/main/en/territories.json

FACTBOOK.csv has the columns name, long_form, local_short_form, former, noun, adjective, capital (public domain). CLDR is npm's cldr-localenames-full (Unicode licence).
An alias that a hand-written file already has is left out, and so is one that two entries would share:
aliases.csv and leaders.csv decide. Needs no package.
"""
import csv, json, os, re, sys, unicodedata

here = os.path.dirname(os.path.abspath(__file__))
read = lambda name: list(csv.DictReader(open(os.path.join(here, name), newline="", encoding="utf8")))
entries = {r["code"]: r for r in read("entries.csv")}
leaders = [{"code": r["code"], "alias": alias, "how": "leader"} for r in read("leaders.csv")
           for alias in (r["names"] + "|" + r["surnames"]).split("|") if alias]
hand = read("aliases.csv") + leaders
taken = {r["alias"]: r["code"] for r in hand}
taken.update({r["phrase"]: "" for r in read("exclusions.csv")})
found, shared = {}, set()

# Words that a pattern or a source yields and that mean something else in a newspaper.
STOP = set("""none NA Victoria Hamilton Stanley Douglas Plymouth Jamestown Kingston Georgetown Nassau Male China/Hong
Valley The Valley Settlement The Settlement Port Louis Malabo Saint Martin Reunion Jersey Lao Viet Tahiti Bio Rose
Christian Pierre Friday Browne Brown Davis Drew Man Mar Paz Pa Tong Lee Park Kim Lam Wong King Chaves Castro Costa
Virgin Islands Dominican Congo Korean Korea Guinea Chinese French Dutch Danish British Turkish American Swati Tajik
Komori Viti Reunion Christmas Island Outlying Oceania World Africa Europe Asia Americas Akrotiri Dhekelia Navassa Island West Island Dan
Georgia Islands Channel Islander Channel Islanders Norman Isles Upper Peru Tunis Quito Dilmun Tylos Awal Serendip
Santo Domingo Baki Baky Adamstown Castries Moldavia Guernsey Grand Turk Hellas Misr Uman Lubnan Spanish Sahara
Maria Evita Juan Jose Bart Robert Donald Paul George Mark Charles Albert Harald Philippe Felipe""".split("\n"))
STOP = {w for line in STOP for w in line.split()} | {
    "Channel Islander", "Channel Islanders", "Norman Isles", "Upper Peru", "Spanish Sahara", "West Island",
    "Virgin Islands", "The Valley", "The Settlement", "Western Sahara", "Greek Cypriot", "German East Africa",
    "Trust Territory of the Pacific Islands", "Mali Federation", "Grand Turk", "Santo Domingo", "Al Jaza'ir",
    "United Arab Republic", "Netherlands Antilles", "Republic of Vietnam", "Democratic Republic of Vietnam",
    "Soviet Union", "Republic of Macedonia", "Kim Jong", "Pleasant Island", "Savage Island", "British Somaliland",
    "Sudanese Republic", "Union Islands", "Ellas or Ellada", "Virgin Islander", "Virgin Islanders", "Marshall Islands District",
    "Mariana Islands District", "Hoorn Islands is the former name of the Futuna Islands", "Congo - Kinshasa", "Congo - Brazzaville",
    "Swiss Confederation Guy Parmelin", "Presidency Zeljko Komsic", "Chinese/Hong Konger", "King Charles", "President of China", "Yap Districts", "New Philippines", "Palau District", "Caroline Islands",
}


def plain(text):
    """`text` without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def add(code, alias, how, since="", until="", context=""):
    alias = re.sub(r"\s+", " ", alias).strip(" ,;.")
    alias = re.sub(r"^[Tt]he ", "", alias)
    alias = re.sub(r"\b(Ii|Iii|Iv|Vi|Vii|Xvi)\b", lambda m: m[0].upper(), alias)
    if re.search(r"[\[\]\"]", alias) or len(alias) < 4 or not alias[0].isupper() or len(alias) > 70 or alias in STOP:
        return
    for form in dict.fromkeys([alias, plain(alias).replace("’", "'")]):
        if taken.get(form) is not None:
            continue
        if form in found and found[form][0] != code:
            shared.add(form)
        found.setdefault(form, [code, form, how, since, until, context])


def code_of(*names):
    for name in names:
        name = re.sub(r"^The ", "", name)
        for n in (name, "the " + name, name.split(" (")[0], plain(name)):
            if n in taken:
                return taken[n]
    return None


factbook, cldr = sys.argv[1:3]
OVERRIDE = {"The Dominican": "DOM", "Congo (Brazzaville)": "COG", "Virgin Islands": "VIR", "British Virgin Islands": "VGB",
            "Gaza, Gaza Strip": "PSE", "Holy See (Vatican City)": "VAT", "Micronesia, Federated States of": "FSM"}

for row in csv.DictReader(open(factbook, newline="", encoding="utf8")):
    code = OVERRIDE.get(row["name"]) or code_of(row["name"], row["long_form"].split(";")[0])
    if not code or code not in entries:
        continue
    cut = lambda text: [re.sub(r"\(.*?\)|\[.*?\]|\bnote\b.*", "", t).strip() for t in re.split(r"[;,]| or ", text)]
    add(code, re.sub(r";.*|\(.*?\)", "", row["long_form"]), "official")
    for name in re.split(r"[/;,]", re.sub(r"\(.*?\)", "", row["local_short_form"])):
        add(code, name, "name")
    for name in cut(row["former"]):
        if len(name.split()) > 1:
            add(code, name, "former_name")
    for noun in re.split(r"[;,]| or ", row["noun"]):
        stem = re.sub(r"\(.*", "", noun).strip()
        add(code, stem, "demonym")
        if re.search(r"\(s\)", noun):
            add(code, stem + "s", "plural")

territories = json.load(open(cldr, encoding="utf8"))["main"]["en"]["localeDisplayNames"]["territories"]
regions = {}
for key, name in territories.items():
    if re.match(r"[A-Z]{2}(-|$)", key):
        regions.setdefault(key[:2], []).append(name)
for names in regions.values():
    code = code_of(*names)
    for name in names if code else []:
        add(code, name, "name")

# Ministries and ministers by the adjective; a lower-case word of an alias also matches capitalised.
skip = {"USA", "VAT"}
first = {}
for r in hand:
    if r["how"] == "adjective" and entries[r["code"]]["kind"] in ("state", "territory"):
        first.setdefault(r["code"], []).append(r["alias"])
for code, adjectives in first.items():
    if entries[code]["kind"] == "territory" and code not in ("HKG", "GRL", "XAB", "XNC", "XSL") or code in skip:
        continue
    for adjective in adjectives[:1]:
        for body in ("foreign ministry", "Ministry of Foreign Affairs", "defence ministry", "defense ministry"):
            add(code, f"{adjective} {body}", "ministry")
        for person in ("foreign minister", "defence minister", "defense minister"):
            add(code, f"{adjective} {person}", "leader")

rows = sorted(r for form, r in found.items() if form not in shared)
with open(os.path.join(here, "aliases-generated.csv"), "w", newline="", encoding="utf8") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow("code,alias,how,from,until,context".split(","))
    out.writerows(rows)
print(len(rows), "aliases;", len(hand), "by hand;", len(shared), "shared and left out", file=sys.stderr)
