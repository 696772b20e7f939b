"""Bounds that more than one part must agree on. Each has its reason."""

ROWS_PER_REQUEST = 1000  # what one bulk insert carries; Supabase advises about a thousand rows
DEVICE_KEY_LENGTH = 63  # fits a DNS label, so a key can be a host name
TEXT_LENGTH = 500  # any free text in a row; longer is cut and marked
FUTURE_MS = 60_000  # the cloud refuses rows further ahead than one minute
RETENTION_MS = 90 * 86_400_000  # raw telemetry older than this is refused by the cloud
ATTEMPTS_BEFORE_DEAD_LETTER = 5  # how often a refused row is sent before it is set aside
DEVICE_TOKEN_S = 7_200  # longest life of a device token
DEVICE_TOKEN_RENEW_S = 5_400  # the hub renews after this
OFFLINE_S = 900  # a device that sent nothing for this long is offline
