"""What generators write into their files, read back into one form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.classifiers.provenance import files
from tests.classifiers.provenance.conftest import Inspect

COMFY: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 42, "steps": 20, "cfg": 8.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
            "model": ["10", 0], "positive": ["20", 0], "negative": ["20", 1], "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dreamshaper_8.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["30", 0], "clip": ["10", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "watermark", "clip": ["10", 1]}},
    "10": {"class_type": "LoraLoader", "inputs": {"lora_name": "x", "model": ["4", 0], "clip": ["4", 1]}},
    "20": {
        "class_type": "ControlNetApplyAdvanced",
        "inputs": {"strength": 1.0, "positive": ["6", 0], "negative": ["7", 0], "control_net": ["9", 0]},
    },
    "30": {"class_type": "PrimitiveString", "inputs": {"value": "a glass bottle on a beach"}},
}  # fmt: skip
FLUX: dict[str, Any] = {
    "1": {
        "class_type": "SamplerCustomAdvanced",
        "inputs": {
            "noise": ["2", 0],
            "guider": ["3", 0],
            "sampler": ["4", 0],
            "sigmas": ["5", 0],
            "latent_image": ["9", 0],
        },
    },
    "2": {"class_type": "RandomNoise", "inputs": {"noise_seed": 77}},
    "3": {"class_type": "BasicGuider", "inputs": {"model": ["6", 0], "conditioning": ["7", 0]}},
    "4": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    "5": {
        "class_type": "BasicScheduler",
        "inputs": {"model": ["6", 0], "scheduler": "simple", "steps": 4, "denoise": 1},
    },
    "6": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux1-schnell.safetensors"}},
    "7": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["8", 0]}},
    "8": {"class_type": "CLIPTextEncode", "inputs": {"text": "a tram in the rain", "clip": ["10", 0]}},
}
DRAWN: dict[str, Any] = {
    "nodes": [
        {
            "id": 3, "type": "KSampler", "widgets_values": [9, "fixed", 25, 6.5, "dpmpp_2m", "karras", 1],
            "inputs": [{"name": "model", "link": 1}, {"name": "positive", "link": 2}, {"name": "negative", "link": 3}],
        },
        {"id": 4, "type": "CheckpointLoaderSimple", "widgets_values": ["model.ckpt"]},
        {"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a stone bridge"], "inputs": []},
        {"id": 7, "type": "CLIPTextEncode", "widgets_values": ["people"]},
    ],
    "links": [[1, 4, 0, 3, 0, "MODEL"], [2, 6, 0, 3, 1, "CONDITIONING"], [3, 7, 0, 3, 2, "CONDITIONING"]],
}  # fmt: skip

WRITTEN: list[tuple[str, bytes, dict[str, str]]] = [
    (
        "AUTOMATIC1111 in a PNG",
        files.png({"parameters": files.A1111}),
        {
            "tool": "AUTOMATIC1111", "version": "v1.10.1", "seed": "1234567", "steps": "28", "cfg_scale": "7",
            "prompt": "a lighthouse at dusk, (oil painting:1.2) <lora:brush:0.7>", "size": "832x1216",
            "negative_prompt": "blurry, watermark", "sampler": "DPM++ 2M Karras", "model": "sd_xl_base_1.0",
        },
    ),
    (
        "Forge, compressed",
        files.png({"parameters": "a cat\nSteps: 4, Sampler: Euler, Seed: 1, Version: f2.0.1v1.10"}, compressed=True),
        {"tool": "Stable Diffusion WebUI Forge", "version": "f2.0.1v1.10", "prompt": "a cat", "steps": "4",
         "sampler": "Euler", "seed": "1"},
    ),
    (
        "AUTOMATIC1111 without a prompt",
        files.png({"parameters": "Steps: 4, Sampler: Euler, Seed: 1"}),
        {"tool": "AUTOMATIC1111", "steps": "4", "sampler": "Euler", "seed": "1"},
    ),
    (
        "ComfyUI's graph",
        files.png({"prompt": json.dumps(COMFY), "workflow": "{}"}),
        {
            "tool": "ComfyUI", "prompt": "a glass bottle on a beach", "negative_prompt": "watermark", "seed": "42",
            "model": "dreamshaper_8.safetensors", "sampler": "euler normal", "steps": "20", "cfg_scale": "8.0",
            "size": "512x768",
        },
    ),
    (
        "ComfyUI with a guider",
        files.png({"prompt": json.dumps(FLUX)}),
        {
            "tool": "ComfyUI", "prompt": "a tram in the rain", "model": "flux1-schnell.safetensors", "seed": "77",
            "sampler": "euler simple", "steps": "4", "cfg_scale": "3.5",
        },
    ),
    (
        "ComfyUI's drawn workflow alone",
        files.png({"workflow": json.dumps(DRAWN)}),
        {
            "tool": "ComfyUI", "prompt": "a stone bridge", "negative_prompt": "people", "model": "model.ckpt",
            "seed": "9", "steps": "25", "cfg_scale": "6.5", "sampler": "dpmpp_2m karras",
        },
    ),
    (
        "ComfyUI in a WebP",
        files.saved("WEBP", exif=files.exif(Model="prompt:" + json.dumps(FLUX), Make="workflow:{}")),
        {
            "tool": "ComfyUI", "prompt": "a tram in the rain", "model": "flux1-schnell.safetensors", "seed": "77",
            "sampler": "euler simple", "steps": "4", "cfg_scale": "3.5",
        },
    ),
    (
        "InvokeAI",
        files.png(
            {
                "invokeai_metadata": json.dumps(
                    {
                        "app_version": "5.6.0", "generation_mode": "sdxl_txt2img", "positive_prompt": "a fox",
                        "negative_prompt": "dogs", "model": {"key": "k", "name": "Juggernaut XL"}, "seed": 5,
                        "steps": 30, "cfg_scale": 5.5, "scheduler": "dpmpp_3m_k", "width": 1024, "height": 1024,
                    }
                )
            }
        ),
        {
            "tool": "InvokeAI", "version": "5.6.0", "prompt": "a fox", "negative_prompt": "dogs", "seed": "5",
            "model": "Juggernaut XL", "steps": "30", "cfg_scale": "5.5", "sampler": "dpmpp_3m_k", "size": "1024x1024",
        },
    ),
    (
        "InvokeAI 2",
        files.png(
            {
                "sd-metadata": json.dumps(
                    {
                        "model": "stable diffusion", "model_weights": "sd-1.5", "app_version": "2.2.4",
                        "image": {"prompt": [{"prompt": "a fox [dogs]", "weight": 1}], "steps": 50, "cfg_scale": 7.5,
                                  "sampler": "k_lms", "seed": 3, "width": 512, "height": 512},
                    }
                ),
                "Dream": '"ignored" -s 1',
            }
        ),
        {
            "tool": "InvokeAI", "version": "2.2.4", "prompt": "a fox", "negative_prompt": "dogs", "model": "sd-1.5",
            "steps": "50", "cfg_scale": "7.5", "sampler": "k_lms", "seed": "3", "size": "512x512",
        },
    ),
    (
        "InvokeAI's first command line",
        files.png({"Dream": '"a red barn [snow]" -s 50 -S 123 -W 512 -H 640 -C 7.5 -A k_euler'}),
        {
            "tool": "InvokeAI", "prompt": "a red barn", "negative_prompt": "snow", "steps": "50", "seed": "123",
            "size": "512x640", "cfg_scale": "7.5", "sampler": "k_euler",
        },
    ),
    (
        "NovelAI",
        files.png(
            {
                "Title": "AI generated image", "Description": "1girl, garden", "Software": "NovelAI",
                "Source": "Stable Diffusion XL 7BCCAA2C",
                "Comment": json.dumps({"prompt": "1girl, garden", "uc": "lowres", "steps": 28, "seed": 8, "scale": 5.0,
                                       "sampler": "k_euler", "width": 832, "height": 1216}),
            }
        ),
        {
            "tool": "NovelAI", "prompt": "1girl, garden", "negative_prompt": "lowres", "steps": "28", "seed": "8",
            "cfg_scale": "5.0", "sampler": "k_euler", "size": "832x1216", "model": "Stable Diffusion XL 7BCCAA2C",
        },
    ),
    (
        "NovelAI 4 with characters",
        files.png(
            {
                "Software": "NovelAI",
                "Comment": json.dumps({"uc": "", "scale": 5, "v4_prompt": {"caption": {
                    "base_caption": "a market", "char_captions": [{"char_caption": "an old man"}]}}}),
            }
        ),
        {"tool": "NovelAI", "prompt": "a market, an old man", "cfg_scale": "5"},
    ),
    (
        "Fooocus",
        files.png(
            {
                "fooocus_scheme": "fooocus",
                "parameters": json.dumps({"prompt": "a pear", "negative_prompt": "", "base_model": "juggernautXL_v8",
                                          "seed": "4", "sampler": "dpmpp_2m_sde_gpu", "steps": 30, "version":
                                          "Fooocus v2.5.0", "guidance_scale": 4, "resolution": "(1152, 896)"}),
            }
        ),
        {
            "tool": "Fooocus", "version": "v2.5.0", "prompt": "a pear", "model": "juggernautXL_v8", "seed": "4",
            "sampler": "dpmpp_2m_sde_gpu", "steps": "30", "cfg_scale": "4", "size": "1152x896",
        },
    ),
    (
        "SwarmUI",
        files.png({"parameters": json.dumps({"sui_image_params": {"prompt": "a kite", "model": "sdxl", "seed": 6,
                                                                  "cfgscale": 7, "width": 64, "height": 64}})}),
        {"tool": "SwarmUI", "prompt": "a kite", "model": "sdxl", "seed": "6", "cfg_scale": "7", "size": "64x64"},
    ),
    (
        "Draw Things",
        files.png({"XML:com.adobe.xmp": files.xmp(
            "<exif:UserComment><rdf:Alt><rdf:li xml:lang='x-default'>"
            '{"c":"a kettle","uc":"rust","model":"flux_1","seed":2,"steps":8,"scale":4,"sampler":"DDIM","size":"5x5"}'
            "</rdf:li></rdf:Alt></exif:UserComment>").decode()}),
        {
            "tool": "Draw Things", "prompt": "a kettle", "negative_prompt": "rust", "model": "flux_1", "seed": "2",
            "steps": "8", "cfg_scale": "4", "sampler": "DDIM", "size": "5x5",
        },
    ),
    (
        "Midjourney",
        files.png({"Description": "a paper boat --ar 3:2 --v 6.1 --seed 11 Job ID: "
                                  "0b61d1f4-6b39-4b3c-9f25-0f7f9a2f5e11",
                   "Author": "someone"}),
        {"tool": "Midjourney", "prompt": "a paper boat", "version": "6.1", "seed": "11"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "said"), [row[1:] for row in WRITTEN], ids=[row[0] for row in WRITTEN])
def test_a_generators_own_writing_is_read(inspect: Inspect, data: bytes, said: dict[str, str]) -> None:
    shown, probabilities = inspect(data)
    assert shown == {"generator": said}
    assert set(probabilities.values()) == {0.0}


@pytest.mark.parametrize("codec", ["utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "PNG"])
def test_exif_comments_are_read_in_either_byte_order(inspect: Inspect, kind: str, codec: str) -> None:
    shown, _probabilities = inspect(files.saved(kind, exif=files.exif(comment=files.A1111, codec=codec)))
    assert shown["generator"]["seed"] == "1234567"


def test_made_with_google_ai_is_read_from_xmp(inspect: Inspect) -> None:
    packet = files.xmp(
        f"<Iptc4xmpExt:DigitalSourceType>{files.SOURCE}trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>"
        "<photoshop:Credit>Made with Google AI</photoshop:Credit>"
    )
    for kind in ("JPEG", "WEBP", "AVIF", "PNG"):
        text = {"XML:com.adobe.xmp": packet.decode()}
        data = files.png(text) if kind == "PNG" else files.saved(kind, xmp=packet)
        shown, _probabilities = inspect(data)
        assert shown == {"digital_source_type": "trainedAlgorithmicMedia", "generator": {"tool": "Google AI"}}


SCRIPTS = [
    "un phare au crépuscule", "маяк в сумерках", "φάρος στο σούρουπο", "منارة عند الغسق", "מגדלור בשעת בין ערביים",
    "गोधूलि में प्रकाशस्तंभ", "黄昏的灯塔", "夕暮れの灯台", "황혼의 등대", "ประภาคารยามพลบค่ำ", "მზის ჩასვლა", "🗼 ნათურა",
]  # fmt: skip


@pytest.mark.parametrize("prompt", SCRIPTS)
def test_prompts_come_back_in_every_script(inspect: Inspect, prompt: str) -> None:
    text = f"{prompt}\nSteps: 20, Sampler: Euler, Seed: 1"
    for data in (files.png({"parameters": text}), files.saved("JPEG", exif=files.exif(comment=text))):
        shown, _probabilities = inspect(data, prompt=prompt)
        assert shown == {
            "generator": {"tool": "AUTOMATIC1111", "prompt": prompt, "steps": "20", "sampler": "Euler", "seed": "1"}
        }
