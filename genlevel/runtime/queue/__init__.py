"""The queue of work that many processes share: shards of runs and scoring, as messages that are delivered until they are done.

``port`` says what a queue is and promises. ``nats`` is one for many machines: ``address`` where it is, ``link`` the connection, ``streams``
what the servers keep, ``pulling`` and ``deliveries`` one message. The library is imported only by what needs it.
"""

from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.queue.address import Address
from genlevel.runtime.queue.port import ACK_WAIT_S, DeadLetter, Delivery, Depth, Queue

__all__ = ["ACK_WAIT_S", "DeadLetter", "Delivery", "Depth", "Queue", "open_queue"]


def open_queue(url: str, *, name: str) -> Queue:
    """The queue at an address (see ``address``), which is connected to in the background. Of a running event loop.

    Args:
        url: the setting ``queue``.
        name: this process's, for those who look at the server.

    Raises:
        ConfigurationError: the address, or a file that it names, cannot be used, or the library is not installed.
    """
    address = Address.of(url)
    try:
        from genlevel.runtime.queue.nats import NatsQueue
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"queue: needs the Python package '{error.name}', which is not installed: pip install 'genlevel[queue]'"
        ) from None
    address.context()
    address.login()
    queue = NatsQueue(address, name=name)
    queue.open()
    return queue
