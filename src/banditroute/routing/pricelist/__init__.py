"""Public price lists, read with suspicion: rows become models, or findings that say why not."""

from banditroute.routing.pricelist.checks import Finding, Severity
from banditroute.routing.pricelist.comparing import Change, changes
from banditroute.routing.pricelist.importing import PriceImport, import_prices
from banditroute.routing.pricelist.rows import Listing, parse_price_list

__all__ = ["Change", "Finding", "Listing", "PriceImport", "Severity", "changes", "import_prices", "parse_price_list"]
