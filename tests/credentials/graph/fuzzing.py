"""Compare quick ways with slow ones on random documents.

`make fuzz` does it for a minute, `make fuzz ARGS="3600 7"` for an hour. Arguments: seconds (60), and the first seed (drawn). It stops at the first difference, and says the seed and the document.
"""

import itertools
import json
import sys
import time
from random import Random, SystemRandom

from credentials.graph.documents import PACKAGED
from credentials.graph.rdf import HashName
from tests.credentials.graph.comparing import Comparison, compare_looks, new_road
from tests.credentials.graph.hostile_documents import random_contexts, random_document, random_own_document

EACH = 40
"""How many documents are drawn for one stranger's context."""


def main(seconds: float, first_seed: int) -> int:
    """Compare until the time is over; return the status to exit with."""
    end = time.monotonic() + seconds
    packaged = Comparison(new_road())
    documents, answered = 0, 0
    for seed in itertools.count(first_seed):
        random = Random(seed)
        registry, own = random_contexts(random)
        strangers = Comparison(new_road(own))
        for place in range(EACH):
            is_own = place % 4 == 0
            document = random_own_document(random) if is_own else random_document(random)
            hash_name: HashName = "sha384" if place % 8 == 1 else "sha256"
            try:
                compare_looks(document)
                strangers.compare(document, registry, hash_name)
                if not is_own:
                    packaged.compare(document, PACKAGED, hash_name)
            except Exception as error:  # noqa: BLE001  # whatever it is, the seed says how to see it again
                context = json.dumps(dict(own.document))
                sys.stdout.write(
                    f"{type(error).__name__} with seed {seed}: {error}\n{context}\n{json.dumps(document)}\n"
                )
                return 1
        documents, answered = documents + strangers.documents, answered + strangers.answered
        if time.monotonic() > end:
            break
    documents, answered = documents + packaged.documents, answered + packaged.answered
    sys.stdout.write(
        f"{documents:,} documents, {answered:,} on the ordinary road, no difference (next seed: {seed + 1})\n"
    )
    return 0


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(
        main(float(given[0]) if given else 60, int(given[1]) if len(given) > 1 else SystemRandom().randrange(10**9))
    )
