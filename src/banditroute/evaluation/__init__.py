"""Off-policy evaluation: what another policy would have got on traffic that a router has logged."""
