"""What the encoder's inputs are worth to sigma8 in several trained models, as a table in Markdown.

Run with the package that loads the bundles installed::

    earnest mocks generate --preset paper --n-catalogs 600 --seed 1 --out SET
    earnest model train --live paper --seed 2 --max-steps 600 --out BUNDLE
    python benchmarks/interpret_ablation.py SET BUNDLE

Columns beside the encoder that a model needs are given: cases in which they are held constant are left out.
"""

import argparse
import sys
from pathlib import Path

from earnest_interpret import InterpretConfig, ablation, read_sample
from earnest_interpret.analyses.ablation.effect import Effect
from earnest_interpret.analyses.ablation.words import beside_text, lensing_text, worth_text


def change(effect: Effect) -> str:
    """Return the change of the scatter with its error."""
    return f"{effect.change:+.4f} +- {effect.change_err:.4f}"


def main() -> None:
    """Print the table and, below it, the sentences of the page."""
    parser = argparse.ArgumentParser(description="What the encoder's inputs are worth to sigma8.")
    parser.add_argument("set", type=Path, help="catalogs of known sigma8")
    parser.add_argument("bundles", type=Path, nargs="+", help="trained models")
    parser.add_argument("--max-catalogs", type=int, default=500)
    parser.add_argument("--n-shuffles", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sample = read_sample(options.set, split="all", max_catalogs=options.max_catalogs, seed=options.seed)
    config = InterpretConfig(n_shuffles=options.n_shuffles, seed=options.seed)
    head = (
        "model",
        "beside the encoder",
        "as they are",
        "within catalogs",
        "over all",
        "constant",
        "over all - within",
    )
    lines, sentences = [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"], []
    for bundle in options.bundles:
        found = ablation(bundle, sample, config=config).summary
        for case in (one for one in found.cases if one.is_answered):
            cells = [
                bundle.name,
                beside_text(case, found.companions),
                f"{case.as_they_are.scatter:.4f} +- {case.as_they_are.scatter_err:.4f}",
                *(change(effect) for effect in (case.within, case.over_all, case.constant)),
                f"{case.distribution:+.4f} +- {case.distribution_err:.4f}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
        sentences += [f"{bundle.name}: {worth_text(found)} {lensing_text(found)}"]
    sys.stdout.write("\n".join([*lines, "", f"{sample}, prior {found.prior_scatter:.4f}", *sentences, ""]))


if __name__ == "__main__":
    main()
