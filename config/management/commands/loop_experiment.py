"""`loop_experiment`: does the loop learn? Measured on labelled pictures through the whole product."""

from __future__ import annotations

import json
import tomllib
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.core.management import BaseCommand, CommandError

from classifiers.training import Recipe, TrainingError
from classifiers.weights import file_sha256
from config.loop import pictures
from config.loop.claims import judge
from config.loop.making import Failed, made
from config.loop.outcomes import Outcome
from config.loop.report import Report
from config.loop.terms import BadTerms, Terms
from moderation.taxonomy import Category

RECIPE: Final = Path(__file__).resolve().parents[2] / "loop" / "recipe.toml"
STRATEGIES: Final = ("uncertainty", "random", "mix", "disagreement", "diversity")


class Command(BaseCommand):
    help = (
        "Send labelled pictures through houses of their own (API, worker, claims, decisions, export_labels, train, "
        "adopt), let an oracle review what select_learning asks about, and measure on pictures held back how AUC and "
        "certified reviewer load change by round. Writes report.md, report.json, curves.csv and two charts. A run that "
        "is there already, of the same terms, is not made again. "
        "Exit status: 0 every claim holds, 1 one does not, 2 bad use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--images", type=Path, required=True, metavar="ZIP_OR_DIR", help="pictures, one folder a class"
        )
        parser.add_argument("--model", type=Path, required=True, metavar="CARD.toml", help="backbone with an embedding")
        parser.add_argument("--violating", required=True, metavar="A,B", help="classes that violate")
        parser.add_argument("--category", choices=Category.values, default=Category.OTHER.value)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--decisions", type=int, default=200, help="a round (default: %(default)s)")
        parser.add_argument("--error", type=float, default=0.05, help="how often the oracle is wrong")
        parser.add_argument(
            "--strategy", default="uncertainty,random", help=f"some of {', '.join(STRATEGIES)} (default: %(default)s)"
        )
        parser.add_argument("--seed", type=int, default=1, help="the first (default: %(default)s)")
        parser.add_argument("--repeats", type=int, default=10, help="seeds, one after the other (default: %(default)s)")
        parser.add_argument("--alpha", type=float, default=0.08, help="limit of the FOR (default: %(default)s)")
        parser.add_argument("--delta", type=float, default=0.05, help="the doubt left by a certificate")
        parser.add_argument("--recipe", type=Path, default=RECIPE, help="for train (default: config/loop/recipe.toml)")
        parser.add_argument("--most", type=int, default=0, metavar="N", help="so many pictures, at random; 0: all")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the report goes")

    def handle(self, **options: Any) -> None:
        try:
            terms, strategies = read_terms(options)
            recipe = Recipe.parse(tomllib.loads(options["recipe"].read_text("utf-8")))
        except (BadTerms, pictures.NoPictures, TrainingError, OSError, tomllib.TOMLDecodeError) as error:
            raise CommandError(str(error), returncode=2) from error
        out = options["out"].resolve()
        seeds = range(options["seed"], options["seed"] + options["repeats"])
        try:
            runs = [run for seed in seeds for run in made(terms, strategies, seed, out / "runs")]
        except Failed as error:
            raise CommandError(str(error)) from error
        outcomes = {name: Outcome.of([run for run in runs if run["strategy"] == name], terms) for name in strategies}
        report = Report(
            terms=terms,
            outcomes=outcomes,
            claims=judge(outcomes, runs, terms),
            runs=runs,
            files=digests(options),
            recipe=json.dumps(asdict(recipe)),
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            command=typed(options, seeds),
        )
        report.write(out)
        for claim in report.claims:
            self.stdout.write(f"{'✓' if claim.holds else '✕'} {claim.words}: {claim.found}.")
        self.stdout.write(f"The report is {out / 'report.md'}")
        if not report.holds:
            raise CommandError("Not every claim holds; see the lines marked ✕ above.", returncode=1)


def read_terms(options: dict[str, Any]) -> tuple[Terms, list[str]]:
    """Raises BadTerms or NoPictures."""
    strategies = list(dict.fromkeys(one.strip() for one in options["strategy"].split(",") if one.strip()))
    if unknown := [one for one in strategies if one not in STRATEGIES]:
        raise BadTerms(f"--strategy: there is no {unknown[0]!r}; there are {', '.join(STRATEGIES)}")
    if not strategies or options["repeats"] < 1:
        raise BadTerms("--strategy names one strategy at least, --repeats is 1 or more")
    if not options["model"].is_file():
        raise BadTerms(f"--model: there is no file {options['model']}")
    found = pictures.read(options["images"])
    terms = Terms(
        images=str(options["images"].resolve()),
        model=str(options["model"].resolve()),
        violating=tuple(one.strip() for one in options["violating"].split(",") if one.strip()),
        recipe=str(options["recipe"].resolve()),
        made_from=":".join([pictures.fingerprint(found), *map(file_sha256, (options["model"], options["recipe"]))]),
        **{name: options[name] for name in ("category", "rounds", "decisions", "error", "alpha", "delta", "most")},
    )
    terms.check(found)
    return terms, strategies


def digests(options: dict[str, Any]) -> dict[str, str]:
    """Of the pictures (where they are one file), the card, the weights it names, and the recipe."""
    card = tomllib.loads(options["model"].read_text("utf-8"))
    files = [options[name] for name in ("images", "model", "recipe") if options[name].is_file()]
    found = {path.name: file_sha256(path) for path in files}
    return found | {str(card.get("weights", "weights")): str(card.get("sha256", "–"))}


def typed(options: dict[str, Any], seeds: range) -> str:
    """The command line, by names and not by this machine's folders."""
    names = ("violating", "category", "rounds", "decisions", "error", "strategy", "alpha", "delta", "most")
    said = [f"--images {options['images'].name}", f"--model {options['model'].name}"]
    said += [f"--{name} {options[name]}" for name in names] + [f"--seed {seeds.start} --repeats {len(seeds)}"]
    return f"manage.py loop_experiment {' '.join(said)}"
