"""Makes countries.jsonl from the World Factbook (CIA, public domain; as JSON by github.com/factbook, CC0).

    python3 -m training.tiny.build_countries --passages passages.jsonl.gz > training/tiny/countries.jsonl

The input has one row per country and section: {region, country, section, text}.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import unicodedata
from collections import defaultdict

CONTINENT = {"africa": "Africa", "europe": "Europe", "central-america-n-caribbean": "North America",
             "north-america": "North America", "south-america": "South America", "australia-oceania": "Oceania",
             "east-n-southeast-asia": "Asia", "middle-east": "Asia", "central-asia": "Asia", "south-asia": "Asia"}
# Where the source's short form is not what people write, or its folder is not the continent.
SHORT = {"Burma": "Myanmar", "DRC": "DR Congo", "Congo (Brazzaville)": "Congo",
         "The Bahamas": "Bahamas", "The Gambia": "Gambia", "The Dominican": "Dominican Republic",
         "Federated States of Micronesia": "Micronesia", "Turkey (Turkiye)": "Turkey",
         
         # As they stand in the lists of border countries.
         "US": "United States", "UK": "United Kingdom", "UAE": "United Arab Emirates", "Czech Republic": "Czechia", "Macedonia": "North Macedonia",
         "Democratic Republic of the Congo": "DR Congo", "Republic of the Congo": "Congo"}
ELSEWHERE = {"Russia": "Europe", "Papua New Guinea": "Oceania"}
NOT_STATES = {"World", "Kosovo", "Taiwan", "Nauru", "europe/ee.json", "Paracel Islands", "Spratly Islands", "Gaza, Gaza Strip"}
# Where the source names no unit, or only in an odd plural.
CURRENCY = {"United States": "dollar", "Zimbabwe": "dollar", "North Korea": "won", "Cuba": "peso", "Liechtenstein": "franc",
            "El Salvador": "dollar", "China": "yuan", "Palau": "dollar", "South Sudan": "pound", "Somalia": "shilling",
            "Andorra": "euro", "Monaco": "euro", "San Marino": "euro", "Marshall Islands": "dollar", "Syria": "pound",
            "Bosnia and Herzegovina": "mark", "Micronesia": "dollar", "Tuvalu": "dollar", "Kiribati": "dollar",
            "Ecuador": "dollar", "Panama": "balboa", "Timor-Leste": "dollar", "Eritrea": "nakfa", "Montenegro": "euro",
            "Venezuela": "bolivar", "Belarus": "ruble", "Kuwait": "dinar", "Mongolia": "tugrik", "Costa Rica": "colon",
            "Czechia": "koruna", "Denmark": "krone", "Norway": "krone", "Iceland": "krona", "Sweden": "krona",
            "Eswatini": "lilangeni", "Guatemala": "quetzal", "Lesotho": "loti", "Moldova": "leu", "Romania": "leu",
            "Mozambique": "metical", "Poland": "zloty", "Bulgaria": "lev", "Albania": "lek", "Saudi Arabia": "riyal",
            "Qatar": "riyal", "Uzbekistan": "som"}
# Where the source leads with a percentage or a note, or names the language in another way than people do.
LANGUAGE = {"United States": "English", "Singapore": "English", "Luxembourg": "Luxembourgish", "Belgium": "Dutch",
            "Switzerland": "German", "South Sudan": "English", "Australia": "English", "Japan": "Japanese",
            "Burkina Faso": "French", "Ghana": "English", "India": "Hindi", "Indonesia": "Indonesian", "Kenya": "English",
            "Nigeria": "English", "Tanzania": "Swahili", "Angola": "Portuguese", "Benin": "French", "Guinea": "French",
            "Madagascar": "Malagasy", "Malawi": "English", "Mali": "Bambara", "Niger": "French", "Namibia": "English",
            "Sao Tome and Principe": "Portuguese", "Zambia": "English", "Zimbabwe": "English", "Vanuatu": "Bislama",
            "New Zealand": "English", "Palau": "Palauan", "Tonga": "Tongan", "Papua New Guinea": "English",
            "Timor-Leste": "Tetum", "Andorra": "Catalan", "United Kingdom": "English", "Sri Lanka": "Sinhala",
            "Afghanistan": "Dari", "Bhutan": "Dzongkha", "Cameroon": "French", "South Africa": "Zulu", "China": "Chinese",
            "Guinea-Bissau": "Portuguese", "Iran": "Persian", "Malaysia": "Malay", "Mexico": "Spanish",
            "Moldova": "Romanian", "Mozambique": "Portuguese", "Norway": "Norwegian", "Pakistan": "Urdu",
            "Seychelles": "Creole", "Solomon Islands": "English", "Spain": "Spanish", "Bangladesh": "Bengali",
            "Ethiopia": "Amharic", "Slovenia": "Slovenian", "Belarus": "Belarusian", "Montenegro": "Montenegrin"}
CAPITAL = {"South Africa": "Pretoria", "Bolivia": "La Paz", "Netherlands": "Amsterdam", "United States": "Washington",
           "Moldova": "Chisinau", "Myanmar": "Naypyidaw", "Vanuatu": "Port Vila"}


def plain(text: str) -> str:
    """ASCII, without apostrophes."""
    text = unicodedata.normalize("NFKD", text.replace("ı", "i").replace("ø", "o")).encode("ascii", "ignore").decode()
    return re.sub(r"[`']", "", text).strip()


def short(name: str) -> str:
    name = plain(name)
    return SHORT.get(name, name)


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match.group(1).strip() if match else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", required=True)
    sections: dict[str, dict[str, str]] = defaultdict(dict)
    region: dict[str, str] = {}
    for line in gzip.open(parser.parse_args().passages, "rt"):
        row = json.loads(line)
        sections[row["country"]][row["section"]] = row["text"]
        region[row["country"]] = row["region"]
    records: dict[str, dict] = {}
    borders: dict[str, list[str]] = {}
    for source, text in sections.items():
        name, government = short(source), text.get("Government", "")
        if name in NOT_STATES or region[source] not in CONTINENT or "Dependency status" in government or ";" in name:
            continue
        capital = CAPITAL.get(name) or plain(re.split(r"[;(,/]", found(r"Capital: name: ([^.]+)\.", government))[0])
        unit = CURRENCY.get(name) or plain(found(r"Currency: ([^.]+?)(?: \([A-Z]{3}\))?(?: per US dollar| -|\.)", text.get("Economy", ""))).split(" ")[-1]
        unit = unit.removesuffix("s").lower()
        spoken = found(r"Languages: (?:Languages: )?([A-Z][^.]+)\.", text.get("People and Society", ""))
        language = LANGUAGE.get(name) or plain(re.split(r"[,(;/\d]| and | or |\.", spoken)[0])
        if not (capital and unit and language):
            print("left out:", name, [capital, unit, language], file=sys.stderr)
            continue
        borders[name] = re.findall(r"([A-Z][^;:]*?) [\d,.]+ km", found(r"border countries(?: \(\d+\))?: (.+?)(?:\. [A-Z]|$)", text.get("Geography", "")))
        records[name] = {"country": name, "capital": capital, "currency": unit, "language": language,
                         "continent": ELSEWHERE.get(name, CONTINENT[region[source]])}
    for name in sorted(records):
        known = {short(other) for other in borders[name]} | {short(other.split(" (")[0]) for other in borders[name]}
        print(json.dumps(records[name] | {"neighbours": sorted(known & records.keys() - {name})}))


if __name__ == "__main__":
    main()
