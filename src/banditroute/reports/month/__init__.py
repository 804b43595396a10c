"""One calendar month of a router's store, summed up."""
