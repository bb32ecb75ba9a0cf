"""The OpenAPI schema and its page."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer2
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "moderation.api.authentication.ApiKeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002
        return {"type": "http", "scheme": "bearer", "description": "A client's API key."}


class PersonScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "moderation.api.authentication.PersonAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "A person who logged in."}


class Schema(SpectacularAPIView):
    renderer_classes = [OpenApiJsonRenderer2, OpenApiYamlRenderer2]


class Docs(SpectacularSwaggerSplitView):
    """Swagger UI from the installed package, its start-up script at an address of its own: the CSP stays strict."""

    template_name = "moderation/api_docs.html"


def add_problems(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Every operation may answer with a problem (a postprocessing hook)."""
    schema = {"$ref": "#/components/schemas/ProblemAnswer"}
    answer = {"description": "What went wrong (RFC 9457).", "content": {"application/problem+json": {"schema": schema}}}
    for path in result["paths"].values():
        for operation in path.values():
            if "responses" in operation:
                operation["responses"]["default"] = answer
    return result
