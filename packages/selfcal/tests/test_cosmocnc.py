"""Counts against cosmocnc on the same survey: its Tinker mass function on COLOSSUS's power spectrum, its scatter.

cosmocnc is nobody's requirement; to run this: pip install --group packages/selfcal/pyproject.toml:oracle
"""

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from earnest_common.survey.presets import preset
from earnest_common.survey.priors import Priors, Uniform
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.forward.table import forward_table

MISSING = [name for name in ("cosmocnc", "astropy") if importlib.util.find_spec(name) is None]
SIGMA8 = (0.72, 0.809, 0.90)

# In a process of its own: on import cosmocnc changes warnings, prints paths and loads pylab. Its power spectra need
# downloads, so it is given COLOSSUS's; everything from sigma(M) to the counts is its own work.
SCRIPT = """
import json, sys
from types import SimpleNamespace
import numpy as np
from astropy.cosmology import FlatLambdaCDM
from colossus.cosmology import cosmology as colossus
from cosmocnc.hmf import halo_mass_function
from cosmocnc.utils import convolve_1d
from earnest_common.survey.cosmology import MAGNETICUM as universe
from earnest_common.survey.presets import preset

k = np.geomspace(1e-4, 50, 2000)  # 1/Mpc

def counts(sigma8, z):
    parameters = dict(flat=True, H0=universe.H0, Om0=universe.Om0, Ob0=universe.Ob0, ns=universe.ns, sigma8=sigma8)
    current = colossus.setCosmology("oracle", {**parameters, "persistence": ""})

    def power(redshift):
        return k, current.matterPowerSpectrum(k / universe.h, z=redshift) / universe.h**3

    stub = SimpleNamespace(
        background_cosmology=FlatLambdaCDM(universe.H0, universe.Om0, Tcmb0=0.0),
        power_spectrum=SimpleNamespace(get_linear_power_spectrum=power),
        cosmo_params={"Om0": universe.Om0, "h": universe.h},
        cnc_params={"cosmology_tool": "astropy"},
    )
    function = halo_mass_function(cosmology=stub, M_min=10**12.5, M_max=10**15.7, n_points=4000, interp_tinker="log")
    ln_m, dn_dln_m = function.eval_hmf(z, log=True)[:2]
    log10_m, step = ln_m / np.log(10) + 14, ln_m[1] - ln_m[0]
    paper, realistic, l_x = preset("paper").survey, preset("realistic").survey, preset("realistic").relations.l_x
    scattered = convolve_1d(l_x.log10_mean(log10_m), dn_dln_m, sigma=l_x.scatter, type="fft")
    seen = realistic.selection.probability(realistic.selection.equivalent_log10_m(l_x.log10_mean(log10_m)))
    return {
        "paper": float(paper.volume * step * (dn_dln_m * paper.selection.probability(log10_m)).sum()),
        "realistic": float(realistic.volume * step * (scattered * seen).sum()),
    }

z, *values = json.loads(sys.argv[1])
print(json.dumps([counts(sigma8, z) for sigma8 in values]))
"""


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; see the head of this file")
def test_counts_of_both_surveys():
    words = [sys.executable, "-c", SCRIPT, json.dumps([preset("paper").survey.z, *SIGMA8])]
    process = subprocess.run(words, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    fixed = {name: Uniform(low=1.0, high=1.0) for name in Priors.names()}
    for sigma8, theirs in zip(SIGMA8, json.loads(process.stdout.splitlines()[-1]), strict=True):
        priors = Priors(**(fixed | {"sigma8": Uniform(low=sigma8, high=sigma8)}))
        for name, counts in theirs.items():
            survey = replace(preset(name), priors=priors, mass_function="tinker08")
            ours = forward_table(survey, Resolution(n_nuisance=1, n_sigma8=2)).expected_n[0, 0]
            # Tinker's parameters are interpolated linearly there and by splines in COLOSSUS, good for 1e-3.
            assert counts == pytest.approx(ours, rel=3e-3), (name, sigma8)
