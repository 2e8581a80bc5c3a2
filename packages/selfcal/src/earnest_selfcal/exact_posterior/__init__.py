"""The referee: the posterior of sigma8 from every cluster of a catalog, as exact as a computation can make it.

Import from the modules: ``likelihood`` (the survey's density of observables), ``posterior`` (one catalog), ``run``
(a catalog set), ``residuals`` (how observables scatter at fixed mass), ``catalogs`` (catalogs that obey the model).
"""
