"""Work that is cut into shares, done here, by processes of this machine or by a Dask cluster, with one result."""
