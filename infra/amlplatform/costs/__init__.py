"""What an environment costs although nobody uses it, told when it is asked for.

`items.py` says what is charged at rest, from the request alone; `meters.py` under which meters of Azure's price list;
`prices.py` keeps prices of that list in a dated file, which `amlplatform prices` writes. Without the file there are
items and quantities, and no guesses.
"""

from __future__ import annotations
