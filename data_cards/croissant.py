"""The data set as MLCommons Croissant describes it: JSON-LD that search engines and `mlcroissant` read.

Here: `croissant_metadata`. Not here: `ShardFile` (`data_cards.card`), or writing any file.
Source of the format: Croissant 1.1, http://mlcommons.org/croissant/1.1.
"""

from collections.abc import Sequence
from typing import Any

from data_cards import wording
from data_cards.card import SPLITS, ShardFile
from data_cards.statistics import DatasetStatistics
from schemas.config import RunConfig
from schemas.summary import RunSummary

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The abbreviations that the Croissant specification asks for."""


def croissant_metadata(
    summary: RunSummary, statistics: DatasetStatistics, config: RunConfig, shards: Sequence[ShardFile]
) -> dict[str, Any]:
    """croissant.json of the data set, as plain JSON values.

    Locations are relative to the data set's folder. Without a shard there is no record set, for there is no record.
    `mlcroissant` 1.1 caches extracted tars by that relative location alone: whoever reads records of several local data
    sets with it gives each its own `CROISSANT_CACHE`.

    Args:
        summary: the run in figures.
        statistics: what the packaged samples hold.
        config: what the run was told to do; gives title, licence and language.
        shards: the tars, in any order.
    """
    ordered = sorted(shards, key=lambda shard: (SPLITS.index(shard.split), shard.name))
    metadata: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": wording.plain_line(config.card.title),
        "description": _description(summary, statistics),
        "license": wording.plain_line(config.card.license),
        "inLanguage": wording.plain_line(config.card.language),
        "keywords": ["video", "video question answering", "temporal grounding", "WebDataset"],
        "isLiveDataset": False,
        "distribution": [_tar(shard) for shard in ordered],
    }
    if ordered:
        types = {"mp4": "video/mp4", "json": "application/json", "jpg": "image/jpeg"}
        metadata["distribution"] += [_members(ordered, ending, type_) for ending, type_ in types.items()]
        metadata["recordSet"] = [_videos(), _samples()]
    return metadata


def _description(summary: RunSummary, statistics: DatasetStatistics) -> str:
    return (
        f"{wording.grouped(statistics.samples)} video clips ({wording.duration(statistics.duration_s)}) from "
        f"{wording.grouped(summary.sources)} source videos, with {wording.grouped(statistics.labels)} labels. Every "
        "label names the evidence on the timeline that supports it; evidence was checked wherever a signal measures it."
    )


def _tar(shard: ShardFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": shard.name,
        "name": shard.name,
        "description": f"{wording.grouped(shard.n_samples)} samples of the {shard.split} split.",
        "contentSize": f"{shard.size_bytes} B",
        "contentUrl": f"shards/{shard.name}",
        "encodingFormat": "application/x-tar",
        "sha256": shard.sha256,
    }


def _members(shards: Sequence[ShardFile], ending: str, encoding_format: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{ending}-members",
        "name": f"{ending}-members",
        "description": f"The .{ending} members of the samples.",
        "containedIn": [{"@id": shard.name} for shard in shards],
        "encodingFormat": encoding_format,
        "includes": f"*.{ending}",
    }


def _videos() -> dict[str, Any]:
    """The mp4 members by key. A record set of its own because both members of a sample are read by their content."""
    return {
        "@type": "cr:RecordSet",
        "@id": "videos",
        "name": "videos",
        "description": "The video of each clip.",
        "key": {"@id": "videos/key"},
        "field": [
            _field("videos/key", "sc:Text", "Id of the clip.", _key_of("mp4")),
            _field("videos/mp4", "sc:VideoObject", "The clip as a playable video.", _content_of("mp4")),
        ],
    }


def _samples() -> dict[str, Any]:
    """The samples: a sample's members share its key, which is their name up to the first dot."""
    return {
        "@type": "cr:RecordSet",
        "@id": "samples",
        "name": "samples",
        "description": "One record a clip: its id, its video, and everything known about it.",
        "key": {"@id": "samples/key"},
        "field": [
            _field("samples/key", "sc:Text", "Id of the clip.", _key_of("json"))
            | {"references": {"field": {"@id": "videos/key"}}},
            _field("samples/mp4", "sc:VideoObject", "The clip as a playable video.", {"field": {"@id": "videos/mp4"}}),
            _field("samples/json", "sc:Text", "Span, measurements, labels, evidence, checks.", _content_of("json")),
        ],
    }


def _field(name: str, data_type: str, description: str, source: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "description": description,
        "dataType": data_type,
        "source": source,
    }


def _key_of(ending: str) -> dict[str, Any]:
    extract = {"extract": {"fileProperty": "filename"}, "transform": {"regex": r"^([^.]+)"}}
    return {"fileSet": {"@id": f"{ending}-members"}} | extract


def _content_of(ending: str) -> dict[str, Any]:
    return {"fileSet": {"@id": f"{ending}-members"}, "extract": {"fileProperty": "content"}}
