"""The sky of a sample: areas of simple regions, positions by their declared names and units, coverage, band and H0."""

import numpy as np
import pytest
from earnest_common.errors import InputError, SchemaError
from earnest_selfcal.light_cone.flux_limited import FluxLimitedSample, read_sample, sample_answer
from earnest_selfcal.survey.footprint import WHOLE_SKY, Footprint, evenness, largest_gap

MAPPING = """
name = "mine"
title = "made up"
kind = "observed"
l_x = "within r_500c"
band = "{band}"
[reader]
kind = "csv"
[cosmology]
{h0}
[columns]
z = {{ source = "z" }}
l_x = {{ source = "L", unit = "1e44 erg/s" }}
{positions}
"""
IN_DEGREES = 'ra = { source = "alpha", unit = "deg" }\ndec = { source = "delta", unit = "deg" }'


def even_sky(n, *, seed=1, dec_high=90.0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, np.sin(np.radians(dec_high)), n)))


def table(folder, *, ra, dec, band="0.1-2.4 keV", h0="H0 = 70", positions=IN_DEGREES, l_x=3.0, names="alpha,delta"):
    """Write a table whose first columns begin with "ra" and "de" and mean something else."""
    (folder / "m.toml").write_text(MAPPING.format(band=band, h0=h0, positions=positions))
    rows = [f"{i},0.3,{a},{d},0.05,{l_x}" for i, (a, d) in enumerate(zip(ra, dec, strict=True))]
    (folder / "t.csv").write_text("\n".join([f"rate,det_like,{names},z,L", *rows]) + "\n")
    return folder / "t.csv", str(folder / "m.toml")


@pytest.mark.parametrize(
    ("limits", "share"),
    [
        ({"min_latitude": 0.0}, 1.0),
        ({"min_latitude": 30.0}, 0.5),
        ({"min_latitude": 0.0, "dec_high": 0.0}, 0.5),
        ({"min_latitude": 0.0, "dec_low": 30.0}, 0.25),
        ({"min_latitude": 0.0, "ra_low": 300.0, "ra_high": 60.0}, 1 / 3),
        ({"min_latitude": 0.0, "area": 1000.0}, 1000.0 / WHOLE_SKY),
    ],
)
def test_areas(limits, share):
    assert Footprint(**limits).square_degrees == pytest.approx(share * WHOLE_SKY, rel=2e-3)


def test_the_galactic_centre_and_pole():
    ra, dec = np.array([266.405, 192.859, 0.0]), np.array([-28.936, 27.128, 0.0])
    assert Footprint(min_latitude=20.0).contains(ra, dec).tolist() == [False, True, True]


@pytest.mark.parametrize(
    "limits",
    [{"min_latitude": 95.0}, {"dec_low": 10.0, "dec_high": 5.0}, {"ra_low": -5.0}, {"area": 5e4}, {"area": 0.0}],
)
def test_regions_that_cannot_be(limits):
    with pytest.raises(InputError):
        Footprint(**limits)
    with pytest.raises(InputError):
        FluxLimitedSample(**limits)


def test_coverage_is_seen():
    whole, south = Footprint(min_latitude=0.0), Footprint(min_latitude=0.0, dec_high=2.5)
    positions = even_sky(200, dec_high=2.5)
    assert largest_gap(whole, *positions)[0] == pytest.approx(0.48, abs=0.02)
    assert largest_gap(south, *positions)[0] < 0.05
    assert evenness(south, *positions) > 0.01
    crowded = positions[0] / 3, positions[1]
    assert evenness(south, *crowded) < 1e-3


def test_positions_are_those_of_the_mapping(tmp_path):
    ra, dec = even_sky(60)
    degrees = read_sample_of(table(tmp_path, ra=ra, dec=dec))
    np.testing.assert_allclose(degrees["ra"], ra[degrees["cluster_id"]])
    assert set(degrees["cluster_id"]) == set(np.flatnonzero(Footprint().contains(ra, dec)))
    in_hours = IN_DEGREES.replace('"deg"', '"hourangle"', 1)
    hours = read_sample_of(table(tmp_path, ra=ra / 15, dec=dec, positions=in_hours))
    np.testing.assert_allclose(hours["ra"], degrees["ra"])


def read_sample_of(path_and_mapping):
    path, mapping = path_and_mapping
    return read_sample(path, FluxLimitedSample(), mapping=mapping)


def test_hours_that_are_called_degrees_are_refused(tmp_path):
    ra, dec = even_sky(60)
    with pytest.raises(InputError, match=r"as hours do; state the unit .* \"hourangle\""):
        read_sample_of(table(tmp_path, ra=ra / 15, dec=dec))


def test_sexagesimal_positions_are_refused(tmp_path):
    with pytest.raises(
        SchemaError, match=r"'alpha': found 1 values that are no numbers \(first: line 2 = '12:30:05'\)"
    ):
        read_sample_of(table(tmp_path, ra=["12:30:05"], dec=[60.0]))


def test_positions_are_never_guessed(tmp_path):
    with pytest.raises(InputError, match="no positions in degrees are known"):
        read_sample_of(table(tmp_path, ra=[10.0], dec=[60.0], positions=""))
    assert len(read_sample_of(table(tmp_path, ra=[10.0], dec=[-45.0], positions="", names="RAdeg,DEdeg"))) == 1


def test_a_sky_that_is_not_covered_is_refused(tmp_path):
    ra, dec = even_sky(120, dec_high=2.5)
    path, mapping = table(tmp_path, ra=ra, dec=dec)
    with pytest.raises(InputError, match=r"none of \d+ clusters lies above declination .* --dec-high"):
        sample_answer(path, FluxLimitedSample(), mapping=mapping)


def test_the_area_is_asked_for_where_nothing_tells_it(tmp_path):
    path, mapping = table(tmp_path, ra=[10.0], dec=[60.0], positions="")
    with pytest.raises(InputError, match="state its area"):
        sample_answer(path, FluxLimitedSample(min_latitude=0.0), mapping=mapping)


def test_luminosities_follow_h0(tmp_path):
    first, second = (
        read_sample_of(table(tmp_path, ra=[10.0], dec=[-45.0], h0=h0, l_x=l_x))
        for h0, l_x in (("H0 = 70", 3.0), ("H0 = 50", 3.0 * 1.4**2))
    )
    np.testing.assert_allclose(first["l_x"], second["l_x"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"band": "0.5-2 keV"}, "luminosities are '0.5-2 keV'"), ({"band": ""}, "'within r_500c'"), ({"h0": ""}, "H0")],
)
def test_another_band_or_an_unknown_h0_is_refused(fields, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_sample_of(table(tmp_path, ra=[10.0], dec=[60.0], **fields))
