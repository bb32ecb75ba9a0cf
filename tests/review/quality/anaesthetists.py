"""Dawid & Skene (1979), Table 1: 45 patients' fitness for anaesthesia, 1 to 4, as five anaesthetists assessed it; the
first did so three times.
"""

from __future__ import annotations

# A patient a word: the first observer's three assessments, then those of the second to the fifth.
TABLE = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111 2223212 1211111
1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 1111111 1121121
1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
"""
VOTES = [
    (patient, observer, int(said))
    for patient, word in enumerate(TABLE.split(), start=1)
    for observer, said in zip((1, 1, 1, 2, 3, 4, 5), word, strict=True)
]

# What the paper prints of the fit: Table 2, and the first observer's part of Table 3.
MARGINALS = {1: 0.40, 2: 0.42, 3: 0.11, 4: 0.07}
FIRST_OBSERVER = {
    1: {1: 0.89, 2: 0.11, 3: 0.00, 4: 0.00},
    2: {1: 0.07, 2: 0.88, 3: 0.05, 4: 0.00},
    3: {1: 0.00, 2: 0.34, 3: 0.66, 4: 0.00},
    4: {1: 0.00, 2: 0.00, 3: 0.56, 4: 0.44},
}
