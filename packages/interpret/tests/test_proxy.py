"""Laws of formulas and proxies: planted coefficients come back, Y_X weighs one to one, and the paper's numbers hold."""

import numpy as np
import pytest
from earnest_interpret.analyses.terse.correlations import mass_proxies
from earnest_interpret.analyses.terse.formula import closed_forms
from earnest_interpret.analyses.terse.proxy import find_proxy, proxy_table
from earnest_interpret.page.brief import proxy_rows
from earnest_interpret.page.numbers import proxy_numbers
from earnest_interpret.page.reasons import proxy_reasons
from earnest_interpret.responses.questions import encode
from earnest_interpret.sample import mass_axis
from earnest_interpret.sections import proxy_section
from earnest_interpret.sections.formulas import NO_TEMPERATURE, formula_text
from earnest_interpret.testing import FEATURES, PlainEstimator, SaturatingEstimator

GAS = "log10_m_gas_profile_4"


def test_a_planted_formula_comes_back(batch):
    """terse = 0.6 log T / 1.2 + 0.9 log M_gas / 3: 0.5 and 0.3 per dex, weight 0.6."""
    model = SaturatingEstimator(weights={"log10_t_x": 0.6, GAS: 0.9}, saturation=1e9)
    found = find_proxy(model, encode(model, batch), batch, mass_axis(batch))
    pair = found.forms.pair
    assert pair.r_squared == pytest.approx(1, abs=1e-6)
    assert dict(zip(pair.names, pair.slopes, strict=True))["log10_t_x"] == pytest.approx(0.5, abs=1e-4)
    assert pair.gas_per_temperature == pytest.approx(0.6, abs=1e-3)
    assert found.forms.gas.gas_per_temperature == pytest.approx(0.6, abs=1e-3)  # the toy's profiles have one shape
    np.testing.assert_allclose(found.formula_values, encode(model, batch), atol=1e-4)


def test_y_x_itself_weighs_one_to_one_and_is_its_own_proxy(batch, rng):
    """A toy's T and M_gas scatter independently by 10 %: mass from Y_X ~ M^1.77 scatters by sqrt(2) 10 % / 1.77."""
    log10_t, log10_gas = np.log10(batch.column("t_x")), np.log10(batch.column("m_gas"))
    forms = closed_forms(log10_t + log10_gas, np.stack([log10_t, log10_gas], axis=1), ["log10_t_x", "log10_m_gas"])
    assert forms.pair.gas_per_temperature == pytest.approx(1)
    proxies = {p.name: p for p in mass_proxies(log10_t + log10_gas, batch, mass_axis(batch))}
    assert proxies["terse"].scatter == pytest.approx(proxies["y_x"].scatter)
    assert proxies["y_x"].scatter == pytest.approx(np.sqrt(2) * 0.1 / 1.77, rel=0.06)
    assert proxies["m_gas"].scatter == pytest.approx(0.1 / 1.16, rel=0.06)
    assert proxies["y_x"].spread == pytest.approx(2 / 3, rel=0.1)  # of dn/dlnM ~ M^-1.5


def test_the_spread_of_the_mass_is_the_scatter_of_a_useless_proxy(batch, rng):
    """It is printed beside every scatter: in the text, the caption, the table, the sentence and the command's rows."""
    noise = rng.normal(size=batch.n_clusters)
    proxies = mass_proxies(noise, batch, mass_axis(batch))
    terse = proxies[0]
    assert terse.scatter == pytest.approx(terse.spread, rel=2e-3)
    ln_m = np.log(batch.column("m_500c"))
    means = np.bincount(batch.segment_ids, ln_m) / np.bincount(batch.segment_ids)
    within = np.sum((ln_m - means[batch.segment_ids]) ** 2) / (batch.n_clusters - batch.n_catalogs)
    assert terse.spread == pytest.approx(np.sqrt(within), rel=1e-9)
    words = f"{100 * terse.spread:.1f} %"
    made = proxy_section(proxies, None, noise, np.empty(0), radii=batch.radii)
    assert words in made.text[1]
    assert words in made.figures[0].caption
    assert [row[3] for row in made.tables[0].rows] == [words] * 3
    assert words in proxy_reasons(proxies)[0].text
    rows = proxy_rows({"n_catalogs": 1, "n_clusters": 1, "mass_proxies": proxy_numbers(proxies), "formula": None})
    assert all(words in told for name, told in rows.items() if name.startswith("mass scatter"))


def test_errors_of_slopes_are_what_repeated_noise_gives(rng):
    """Standard errors by the formula against the spread of slopes over 300 draws of the noise, inputs correlated."""
    inputs = rng.normal(size=(400, 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]])
    names = ["log10_t_x", "log10_m_gas"]
    fits = [closed_forms(inputs[:, 1] + rng.normal(0, 0.5, 400), inputs, names).pair for _ in range(300)]
    spread = np.std([fit.slopes for fit in fits], axis=0)
    np.testing.assert_allclose(np.mean([fit.errors for fit in fits], axis=0), spread, rtol=0.15)  # 4 % at one sigma
    unknown = np.mean([np.isnan(fit.gas_per_temperature) for fit in fits])
    assert unknown > 0.98  # no weight on temperature: within three errors of zero


def test_a_terse_value_deaf_to_temperature_gives_no_ratio(batch, rng):
    log10_gas = np.log10(batch.column("m_gas"))
    inputs = np.stack([np.log10(batch.column("t_x")), log10_gas], axis=1)
    noisy = log10_gas + rng.normal(0, 0.1, len(log10_gas))
    forms = closed_forms(noisy, inputs, ["log10_t_x", "log10_m_gas"])
    section = proxy_section((), forms, noisy, forms.best[-1](inputs, ["log10_t_x", "log10_m_gas"]), radii=batch.radii)
    assert [row[-1] for row in section.tables[0].rows[:2]] == [NO_TEMPERATURE, NO_TEMPERATURE]
    assert NO_TEMPERATURE in section.text[-1]
    assert "/ M☉)" in section.text[-1]


def test_radii_of_a_formula_are_told(batch):
    model = SaturatingEstimator(weights={"log10_t_x": 0.6, "log10_m_gas_profile_1": 0.9}, saturation=1e9)
    text = formula_text(find_proxy(model, encode(model, batch), batch, None).forms, batch.radii)
    assert "log₁₀(temperature / keV)" in text
    assert "R₅₀₀ / M☉)" in text
    assert "radius" not in text


def test_longer_formulas_explain_no_less(batch):
    weights = {name: (-1) ** k / (k + 1) for k, name in enumerate(FEATURES)}
    model = SaturatingEstimator(weights=weights, saturation=0.5)
    forms = find_proxy(model, encode(model, batch), batch, None).forms
    explained = [form.r_squared for form in (*forms.best, forms.all_inputs)]
    assert explained == sorted(explained)
    assert explained[-1] < 0.9999  # tanh is not linear
    assert len(set(forms.best[-1].names)) == 3


def test_curvature_is_not_explained_by_lines(batch):
    linear = SaturatingEstimator(weights={"log10_t_x": 1.0}, saturation=1e9)
    curved = SaturatingEstimator(weights={"log10_t_x": 1.0}, saturation=0.2)
    one, other = (find_proxy(m, encode(m, batch), batch, None).forms.best[0] for m in (linear, curved))
    assert one.names == other.names == ("log10_t_x",)
    assert other.r_squared < 0.99 < one.r_squared


def test_what_is_missing_is_left_out(batch, observed, estimator):
    found = find_proxy(estimator, encode(estimator, observed), observed, mass_axis(observed))
    assert found.proxies == ()
    assert found.forms is not None  # a formula needs no mass
    table = proxy_table(observed, encode(estimator, observed), found)
    assert table.columns == ["catalog_id", "cluster_id", "terse", "terse_formula"]
    flat = np.zeros(batch.n_clusters)
    assert find_proxy(estimator, flat, batch, None).forms is None
    assert find_proxy(PlainEstimator(), np.empty(0), batch, None).forms is None


def test_the_table_repeats_the_scatter(batch, estimator):
    terse = encode(estimator, batch)
    found = find_proxy(estimator, terse, batch, mass_axis(batch))
    table = proxy_table(batch, terse, found)
    for proxy in found.proxies:
        error = table[f"ln_m_error_{proxy.name}"].to_numpy()
        degrees = batch.n_clusters - batch.n_catalogs - 1
        assert np.sqrt(error @ error / degrees) == pytest.approx(proxy.scatter)
