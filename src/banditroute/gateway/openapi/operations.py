"""What the gateway can be asked, one operation each; a test holds them to the routes that the application has."""

from __future__ import annotations

from dataclasses import dataclass

from banditroute.gateway.front import Access

JSON = "application/json"
EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        method, path: where it is, as OpenAPI writes it.
        name: names it in clients that are made from the document.
        says: what it does, in a line.
        tag: under which it is listed.
        asks: the schema of its body; empty = it has none.
        answers: the schema of its answer, or of its events; empty = it is no JSON; media: of which type it is.
        streams: the schema of its events, where it can be asked to answer in events.
        access, working: as in its route.
        anthropic: it speaks Anthropic's protocol, errors included; else OpenAI's.
        parameters: of its path, query and head.
        refuses: statuses that only it has, beside those that follow from the rest.
    """

    method: str
    path: str
    name: str
    says: str
    tag: str
    asks: str = ""
    answers: str = ""
    media: str = JSON
    streams: str = ""
    access: Access = "key"
    working: bool = False
    anthropic: bool = False
    parameters: tuple[str, ...] = ()
    refuses: tuple[int, ...] = ()


def _control(name: str, asks: str, says: str, *refuses: int) -> Operation:
    path, named = f"/dashboard/api/{name}", ("DashboardMark",)
    return Operation(
        "POST", path, name, says, "operation", asks, "Done", access="admin", parameters=named, refuses=refuses
    )


_ANTHROPIC = ("AnthropicVersion", "AnthropicBeta")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/v1/chat/completions",
        "createChatCompletion",
        "Answers a chat request, whole or in events.",
        "openai",
        "ChatRequest",
        "ChatCompletion",
        streams="ChatEvent",
        working=True,
    ),
    Operation(
        "POST",
        "/v1/responses",
        "createResponse",
        "Answers a request of the Responses API, whole or in events.",
        "openai",
        "ResponsesRequest",
        "Response",
        streams="ResponsesEvent",
        working=True,
    ),
    Operation(
        "POST",
        "/v1/embeddings",
        "createEmbeddings",
        "Embeds texts by a model that is named.",
        "openai",
        "EmbeddingsRequest",
        "Embeddings",
        working=True,
    ),
    Operation(
        "POST",
        "/v1/messages",
        "createMessage",
        "Answers a messages request, whole or in events.",
        "anthropic",
        "MessagesRequest",
        "Message",
        streams="MessageEvent",
        working=True,
        anthropic=True,
        parameters=_ANTHROPIC,
    ),
    Operation(
        "POST",
        "/v1/messages/count_tokens",
        "countTokens",
        "Says about how long a prompt is; no provider is asked.",
        "anthropic",
        "CountRequest",
        "TokenCount",
        anthropic=True,
        parameters=_ANTHROPIC,
        refuses=(404,),
    ),
    Operation("GET", "/v1/models", "listModels", "Lists what may be asked for.", "openai", "", "ModelList"),
    Operation(
        "GET",
        "/v1/models/{name}",
        "getModel",
        "Returns one of them.",
        "openai",
        "",
        "Model",
        parameters=("Name",),
        refuses=(404,),
    ),
    Operation(
        "POST",
        "/v1/feedback",
        "giveFeedback",
        "Takes in how good an answer was.",
        "router",
        "FeedbackRequest",
        "Recorded",
        refuses=(404, 409, 422, 503),
    ),
    Operation(
        "GET",
        "/v1/decisions/{decision_id}",
        "getDecision",
        "Says why this model, what it cost and how it was judged.",
        "router",
        "",
        "Decision",
        parameters=("DecisionId",),
        refuses=(404, 503),
    ),
    Operation("GET", "/health/live", "isLive", "The process answers.", "operation", "", "Live", access="open"),
    Operation(
        "GET",
        "/health/ready",
        "isReady",
        "It wants requests, and its store works.",
        "operation",
        "",
        "Ready",
        access="open",
        refuses=(503,),
    ),
    Operation(
        "GET",
        "/metrics",
        "getMetrics",
        "The router's numbers, for Prometheus.",
        "operation",
        media="text/plain",
        access="admin",
    ),
    Operation(
        "GET",
        "/openapi.json",
        "getDocument",
        "Returns this document.",
        "operation",
        "",
        "Document",
        access="open",
    ),
    Operation("GET", "/dashboard", "getPage", "The page.", "operation", media="text/html", access="open"),
    Operation(
        "GET",
        "/dashboard/assets/{name}",
        "getAsset",
        "One of its files.",
        "operation",
        media="*/*",
        access="open",
        parameters=("Name",),
        refuses=(404,),
    ),
    Operation(
        "GET",
        "/dashboard/snapshot",
        "getSnapshot",
        "All that the page shows.",
        "operation",
        "",
        "Snapshot",
        parameters=("Span",),
    ),
    Operation(
        "GET",
        "/dashboard/events",
        "followDashboard",
        "The same as it changes, until the caller hangs up.",
        "operation",
        "",
        "SnapshotPart",
        media=EVENTS,
        parameters=("Span",),
        refuses=(429,),
    ),
    _control("switch", "Switch", "Switches everything to one model, or back.", 404),
    _control("freeze", "Freeze", "Freezes exploration, or goes on with it."),
    _control("drain", "Drain", "Has new requests refused, or lets them in again.", 409),
    _control("reload", "Nothing", "Reloads the configuration.", 409),
)
