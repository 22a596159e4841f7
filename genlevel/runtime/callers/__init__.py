"""Who calls a service, and what they may: tokens, certificates, roles, and the guards of gRPC and HTTP that ask for them.

``caller`` is what whatever works on a call knows of whoever made it. ``access`` finds them, by the settings' section `auth`; ``roles`` is
the table of what each RPC and page needs. ``own_token`` is the other side: what this process shows when it calls.
"""

from genlevel.runtime.callers.caller import HERE, Caller, Role, current_caller, set_caller

__all__ = ["HERE", "Caller", "Role", "current_caller", "set_caller"]
