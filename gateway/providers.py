"""The providers, a row each: all that differs between them. A server that speaks OpenAI's chat completions is one more row.

Facts are those of each provider's own documentation; ``docs/providers.md`` shows the table to users.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypedDict
from urllib.parse import urlsplit

from genlevel.runtime.hosts import is_loopback_url
from genlevel.runtime.settings import Api, Limits, ModalityName

NO_LIMITS = Limits()
BEARER_CLIENT = "gateway.accounts.clients:bearer_client"


class Dialect(StrEnum):
    """Whose wire format a provider speaks: which adapters convert for it (``gateway.adapters``)."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    COMPATIBLE = "compatible"
    GEMINI = "gemini"
    VERTEX = "vertex"
    """Gemini's, at the addresses of a project."""
    ANTHROPIC_VERTEX = "anthropic-vertex"
    """Anthropic's there."""
    EMBEDDED = "embedded"
    BEDROCK = "bedrock"
    COHERE = "cohere"
    OLLAMA = "ollama"
    WRITER = "writer"
    """The compatible format at a path of its own, with streams that end otherwise."""
    DEEPGRAM = "deepgram"


class Charging(StrEnum):
    """When a provider bills calls, so that a model without a price is unpriced and not free."""

    ALWAYS = "always"
    ELSEWHERE = "elsewhere"
    """It bills, unless its address is this machine's own: a proxy or a stand-in."""
    KEYED_ELSEWHERE = "keyed elsewhere"
    """A server that people run themselves: if it wants a key and is not on this machine, it may be someone else's, who bills."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider.

    apis: the names of its APIs in a route; the first is the usual one. client: the function that makes its client, as "module:name", so
    that nothing heavy is imported before the first call. key_variable: the environment variable that holds its key unless an account says
    otherwise; "" = it needs none. base_url: where it answers unless an account says otherwise; "" = its SDK knows. domain: whose names are
    all its own, or several such domains; "" = the host of base_url alone. place: a function that says where below an account's address a
    model is asked, as "module:name"; "" = at that address.
    implied: provider/MODEL works without an account; otherwise an account has to give the address, such as example, and the provider is
    known by its host.
    models: the only ones it has; empty = any. limits: those of an account that names none.
    bill: where an answer's usage says what it was billed, such as "cost"; "" = nowhere.
    tells_usage: its streams say what was used unasked, and it refuses
    requests that ask. problem: a function that says why it cannot be used on this machine without a key, as "module:name"; "" = it always
    can. has_credentials: without a key its client finds others on the machine. takes: what goes into a model of its usual API
    that neither its route nor the shipped table knows. chosen: which of an account's region, project and api_version mean something to it.
    """

    name: str
    dialect: Dialect
    charging: Charging
    apis: tuple[Api, ...] = (Api.CHAT,)
    client: str = BEARER_CLIENT
    key_variable: str = ""
    base_url: str = ""
    domain: str = ""
    place: str = ""
    implied: bool = True
    example: str = "http://127.0.0.1:8000/v1"
    models: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS
    bill: str = ""
    tells_usage: bool = False
    problem: str = ""
    has_credentials: bool = False
    takes: tuple[ModalityName, ...] = ("text", "image")
    chosen: tuple[Literal["region", "project", "api_version"], ...] = ()

    def is_at(self, base_url: str) -> bool:
        """Whether an address is the provider's own, over TLS: a name of its domain. "" is."""
        if not base_url or base_url.rstrip("/") == self.base_url:
            return True
        parts = urlsplit(base_url)
        domains = (self.domain or (urlsplit(self.base_url).hostname or "")).split()
        host = (parts.hostname or "").rstrip(".")
        return parts.scheme == "https" and any(host == domain or host.endswith(f".{domain}") for domain in domains)

    @property
    def has_sdk(self) -> bool:
        """Whether its own SDK makes its client, and is imported for that."""
        return self.client != BEARER_CLIENT

    @property
    def usual_api(self) -> Api:
        """The API that a model is asked by if neither its route nor the shipped table says."""
        return self.apis[0]

    @property
    def is_started_here(self) -> bool:
        """Whether this gateway starts its server, on first use."""
        return self.dialect is Dialect.EMBEDDED

    def charges(self, base_url: str, *, keyed: bool) -> bool:
        """Whether calls to it at this address may be billed. keyed: a key goes with them."""
        match self.charging:
            case Charging.ALWAYS:
                return True
            case Charging.ELSEWHERE:
                return not is_loopback_url(base_url)
            case Charging.KEYED_ELSEWHERE:
                return keyed and not is_loopback_url(base_url)
            case Charging.NEVER:
                return False


def _hosted(
    name: str,
    key_variable: str,
    base_url: str,
    apis: tuple[Api, ...] = (Api.CHAT,),
    *,
    tells_usage: bool = False,
    bill: str = "",
) -> Provider:
    """A hosted provider of the compatible format, which bills."""
    return Provider(
        name,
        Dialect.COMPATIBLE,
        Charging.ELSEWHERE,
        apis=apis,
        key_variable=key_variable,
        base_url=base_url,
        bill=bill,
        tells_usage=tells_usage,
    )


def _local(name: str, base_url: str, apis: tuple[Api, ...] = (Api.CHAT,)) -> Provider:
    """A server of the compatible format that people run themselves, at the address where it listens by default."""
    return Provider(name, Dialect.COMPATIBLE, Charging.KEYED_ELSEWHERE, apis=apis, base_url=base_url)


class _Azure(TypedDict):
    client: str
    key_variable: str
    domain: str
    implied: bool
    example: str
    problem: str
    has_credentials: bool
    chosen: tuple[Literal["api_version"]]


_AZURE: _Azure = {
    "client": "gateway.accounts.azure:azure_client",
    "key_variable": "AZURE_OPENAI_API_KEY",
    # https://learn.microsoft.com/azure/ai-services/cognitive-services-custom-subdomains
    "domain": "openai.azure.com services.ai.azure.com cognitiveservices.azure.com models.ai.azure.com",
    "implied": False,
    "example": "https://NAME.openai.azure.com",
    "problem": "gateway.accounts.azure:problem",
    "has_credentials": True,
    "chosen": ("api_version",),
}

_ROWS = (
    Provider(
        "openai",
        Dialect.OPENAI,
        Charging.ALWAYS,
        apis=(Api.CHAT, Api.RESPONSES, Api.COMPACT, Api.IMAGES, Api.SPEECH, Api.VIDEO, Api.TRANSCRIPTION),
        client="gateway.accounts.clients:openai_client",
        key_variable="OPENAI_API_KEY",
        domain="api.openai.com",  # regions: https://platform.openai.com/docs/guides/your-data
    ),
    Provider(
        "anthropic",
        Dialect.ANTHROPIC,
        Charging.ALWAYS,
        apis=(Api.MESSAGES,),
        client="gateway.accounts.clients:anthropic_client",
        key_variable="ANTHROPIC_API_KEY",
        domain="api.anthropic.com",
    ),
    # https://ai.google.dev/api
    Provider(
        "gemini",
        Dialect.GEMINI,
        Charging.ELSEWHERE,
        apis=(Api.GENERATE, Api.VIDEO),
        client="gateway.accounts.google_clients:gemini_client",
        key_variable="GEMINI_API_KEY",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        takes=("text", "image", "audio", "video"),
        chosen=("api_version",),
    ),
    # https://docs.cloud.google.com/vertex-ai/docs/reference/rest
    Provider(
        "vertex",
        Dialect.VERTEX,
        Charging.ALWAYS,
        apis=(Api.GENERATE, Api.VIDEO),
        client="gateway.accounts.google_clients:vertex_client",
        takes=("text", "image", "audio", "video"),
        key_variable="GOOGLE_VERTEX_API_KEY",  # https://ai-sdk.dev/providers/ai-sdk-providers/google-vertex
        domain="googleapis.com",
        problem="gateway.accounts.google_cloud:problem",
        has_credentials=True,
        chosen=("region", "project", "api_version"),
    ),
    # https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
    Provider(
        "anthropic-vertex",
        Dialect.ANTHROPIC_VERTEX,
        Charging.ALWAYS,
        apis=(Api.MESSAGES,),
        client="gateway.accounts.google_clients:anthropic_vertex_client",
        key_variable="GOOGLE_VERTEX_API_KEY",  # https://ai-sdk.dev/providers/ai-sdk-providers/google-vertex
        domain="googleapis.com",
        problem="gateway.accounts.google_cloud:problem",
        has_credentials=True,
        chosen=("region", "project", "api_version"),
    ),
    Provider(
        "bedrock",
        Dialect.BEDROCK,
        Charging.ALWAYS,
        apis=(Api.CONVERSE,),
        client="gateway.accounts.aws_client:bedrock_client",
        key_variable="AWS_BEARER_TOKEN_BEDROCK",  # https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html
        domain="amazonaws.com",
        problem="gateway.accounts.aws_client:problem",
        has_credentials=True,
        chosen=("region",),
    ),
    Provider(
        "azure",
        Dialect.OPENAI,
        Charging.ELSEWHERE,
        apis=(Api.CHAT, Api.RESPONSES, Api.IMAGES, Api.SPEECH, Api.TRANSCRIPTION),
        place="gateway.accounts.azure:address_of",
        **_AZURE,
    ),
    # Models of others than OpenAI, at an address that ends with /models
    Provider("azure-ai", Dialect.COMPATIBLE, Charging.ELSEWHERE, place="gateway.accounts.azure:address_of", **_AZURE),
    # https://docs.cohere.com/reference/chat; version 1 of the API is its generate
    Provider(
        "cohere",
        Dialect.COHERE,
        Charging.ELSEWHERE,
        apis=(Api.CHAT, Api.GENERATE),
        key_variable="CO_API_KEY",
        base_url="https://api.cohere.com",
    ),
    # https://openrouter.ai/docs/quickstart, https://openrouter.ai/docs/use-cases/usage-accounting
    _hosted(
        "openrouter",
        "OPENROUTER_API_KEY",
        "https://openrouter.ai/api/v1",
        (Api.CHAT, Api.RESPONSES, Api.SPEECH, Api.TRANSCRIPTION),
        bill="cost",
    ),
    # https://docs.mistral.ai/api: a field that it does not know, such as stream_options.include_usage, is refused
    _hosted("mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1", (Api.CHAT, Api.SPEECH, Api.TRANSCRIPTION), tells_usage=True),
    # https://console.groq.com/docs/openai
    _hosted("groq", "GROQ_API_KEY", "https://api.groq.com/openai/v1", (Api.CHAT, Api.RESPONSES, Api.SPEECH, Api.TRANSCRIPTION)),
    # https://docs.together.ai/docs/inference/openai-compatibility
    _hosted("together", "TOGETHER_API_KEY", "https://api.together.ai/v1", (Api.CHAT, Api.IMAGES, Api.SPEECH, Api.TRANSCRIPTION)),
    # https://api-docs.deepseek.com
    _hosted("deepseek", "DEEPSEEK_API_KEY", "https://api.deepseek.com/v1", (Api.CHAT, Api.RESPONSES)),
    # https://docs.x.ai/docs/api-reference
    _hosted(
        "xai",
        "XAI_API_KEY",
        "https://api.x.ai/v1",
        (Api.CHAT, Api.RESPONSES, Api.IMAGES, Api.SPEECH, Api.VIDEO, Api.TRANSCRIPTION),
        bill="cost_in_usd_ticks",
    ),
    # https://docs.fireworks.ai/tools-sdks/openai-compatibility
    _hosted("fireworks", "FIREWORKS_API_KEY", "https://api.fireworks.ai/inference/v1"),
    # https://inference-docs.cerebras.ai/api-reference/chat-completions
    _hosted("cerebras", "CEREBRAS_API_KEY", "https://api.cerebras.ai/v1"),
    # https://docs.perplexity.ai/api-reference/chat-completions-post
    _hosted("perplexity", "PERPLEXITY_API_KEY", "https://api.perplexity.ai", bill="cost.total_cost"),
    # https://huggingface.co/docs/inference-providers
    _hosted("huggingface", "HF_TOKEN", "https://router.huggingface.co/v1"),
    # https://docs.z.ai/api-reference/introduction
    _hosted("zai", "ZAI_API_KEY", "https://api.z.ai/api/paas/v4"),
    # https://platform.moonshot.ai/docs/api/chat
    _hosted("moonshot", "MOONSHOT_API_KEY", "https://api.moonshot.ai/v1"),
    # https://dev.writer.com/api-reference
    Provider("writer", Dialect.WRITER, Charging.ELSEWHERE, key_variable="WRITER_API_KEY", base_url="https://api.writer.com/v1"),
    # https://developers.deepgram.com/reference/deepgram-api-overview
    Provider(
        "deepgram",
        Dialect.DEEPGRAM,
        Charging.ELSEWHERE,
        apis=(Api.TRANSCRIPTION,),
        client="gateway.accounts.clients:deepgram_client",
        key_variable="DEEPGRAM_API_KEY",
        base_url="https://api.deepgram.com/v1",
    ),
    # https://docs.vllm.ai/en/latest/serving/openai_compatible_server; media are vLLM-Omni's
    _local("vllm", "http://localhost:8000/v1", (Api.CHAT, Api.RESPONSES, Api.IMAGES, Api.SPEECH, Api.VIDEO, Api.TRANSCRIPTION)),
    # https://docs.sglang.io/docs/basic_usage/openai_api; media are those of its diffusion server
    _local("sglang", "http://localhost:30000/v1", (Api.CHAT, Api.IMAGES, Api.VIDEO)),
    # https://docs.ollama.com/api/openai-compatibility
    _local("ollama", "http://localhost:11434/v1"),
    # https://docs.ollama.com/api; the API of a single prompt is its generate
    Provider(
        "ollama-native",
        Dialect.OLLAMA,
        Charging.KEYED_ELSEWHERE,
        apis=(Api.CHAT, Api.GENERATE),
        base_url="http://localhost:11434",
    ),
    # https://lmstudio.ai/docs/developer/openai-compat
    _local("lmstudio", "http://localhost:1234/v1"),
    # https://huggingface.co/docs/text-generation-inference/messages_api
    _local("tgi", "http://localhost:8080/v1"),
    Provider(
        "compatible",
        Dialect.COMPATIBLE,
        Charging.KEYED_ELSEWHERE,
        apis=(Api.CHAT, Api.RESPONSES, Api.IMAGES, Api.SPEECH, Api.VIDEO, Api.TRANSCRIPTION),
        implied=False,
    ),
    Provider(
        "embedded",
        Dialect.EMBEDDED,
        Charging.NEVER,
        models=("generalist",),
        # It answers one request at a time; a second one waits with its picture read.
        limits=Limits(concurrency=2),
        problem="gateway.adapters.embedded:problem",
    ),
)

PROVIDERS: dict[str, Provider] = {row.name: row for row in _ROWS}


def implied_names() -> list[str]:
    """The names of the providers whose models need no account, sorted."""
    return sorted(row.name for row in PROVIDERS.values() if row.implied)
