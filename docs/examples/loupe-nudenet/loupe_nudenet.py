"""NudeNet as a classifier: an image's score in a category is that of the surest detection that counts as it."""

import numpy as np
from nudenet import NudeDetector

from classifiers.base import CardError, Outputs, scores


def open_card(card, **_options):
    return NudeNet(card)


class NudeNet:
    embedding_size = None

    def __init__(self, card):
        self.name, self.version, self.categories = card.name, card.version, card.codes
        self.labels = {output["category"]: output.get("labels") for output in card.table["outputs"]}
        if not all(self.labels.values()):
            raise CardError("each [[outputs]] names the detector's labels that count: labels = [...]")
        self.detector = NudeDetector()

    def run(self, images):
        table = np.zeros((len(images), len(self.categories)), np.float32)
        shown = []
        for row, image in zip(table, images, strict=True):
            found = self.detector.detect(np.asarray(image.image)[:, :, ::-1])  # it wants blue first
            row[:] = [
                max((f["score"] for f in found if f["class"] in self.labels[c]), default=0) for c in self.categories
            ]
            shown.append({"boxes": found} if found else {})
        return Outputs(table, shown=shown)

    def score(self, images):
        return scores(self.run(images), self.categories)
