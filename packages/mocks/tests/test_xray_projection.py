"""Projection, annuli and fit: analytic spheres, quadrature, pixel sums, and parameters recovered."""

import numpy as np
import pytest
from earnest_mocks.base_sample.emulator import emulate
from earnest_mocks.gas.profile import GasProfile, density, enclosed_mass
from earnest_mocks.xray.annuli import annuli, annulus_edges
from earnest_mocks.xray.fit import fit_emission, profile_of
from earnest_mocks.xray.image import pixel_radii
from earnest_mocks.xray.projection import projection
from scipy.integrate import quad
from scipy.special import gamma

SPHERE = projection(r_max=1e3, n_radii=240)
RADII = np.geomspace(0.01, 3.0, 12)


@pytest.mark.parametrize("beta", [0.4, 2 / 3, 1.0])
def test_beta_model_projects_analytically(beta):
    core = 0.15
    emission = (1 + (SPHERE.r / core) ** 2) ** (-3 * beta)
    # Cavaliere & Fusco-Femiano (1976): the integral along the sight is a beta model again.
    centre = np.sqrt(np.pi) * core * gamma(3 * beta - 0.5) / gamma(3 * beta)
    expected = centre * (1 + (RADII / core) ** 2) ** (0.5 - 3 * beta)
    # 17 radii per factor of e; at beta = 0.4 the gas beyond 1000 R_500c is missed.
    assert SPHERE.brightness_at(RADII) @ emission == pytest.approx(expected, rel=3e-4)


CLUSTERS = emulate(n_clusters=40)


@pytest.mark.parametrize("i", [0, 13, 27, int(np.argmax(CLUSTERS.core_latent)), int(np.argmin(CLUSTERS.core_latent))])
def test_vikhlinin_profiles_project_as_by_quadrature(i):
    profile = GasProfile(**{name: value[i : i + 1] for name, value in vars(CLUSTERS.profile).items()})
    sphere = projection()
    edge = sphere.r[-2]

    def brightness(radius):
        # r = R cosh u takes the root singularity away.
        def integrand(u):
            r = radius * np.cosh(u)
            return float(density(profile, np.array([r]))[0, 0] ** 2) * r

        return 2 * quad(integrand, 0, np.arccosh(edge / radius), epsabs=0, epsrel=1e-9, limit=200)[0]

    radii = np.geomspace(0.01, 2.0, 5)
    expected = [brightness(radius) for radius in radii]
    assert sphere.brightness_at(radii) @ density(profile, sphere.r)[0] ** 2 == pytest.approx(expected, rel=2e-4)


def test_projection_is_linear_and_scales_with_size():
    emission = np.exp(-SPHERE.r)
    assert SPHERE.matrix @ (2 * emission) == pytest.approx(2 * (SPHERE.matrix @ emission))
    shifted = SPHERE.r[20] / SPHERE.r[0]
    inside = slice(30, 150)
    larger = (SPHERE.matrix @ np.exp(-SPHERE.r / shifted))[inside]
    again = shifted * (SPHERE.matrix @ emission)[inside.start - 20 : inside.stop - 20]
    assert larger == pytest.approx(again, rel=1e-3)


def beta_image(n=120, centre=(60.3, 59.6), core=9.0, fine=8):
    """Return the exact pixel sums (by subdivision) of a beta model with beta = 2/3, brightness 1 in the middle."""
    at = (np.arange(n * fine) + 0.5) / fine
    squared = (at[None, :] - centre[0]) ** 2 + (at[:, None] - centre[1]) ** 2
    return ((1 + squared / core**2) ** -1.5).reshape(n, fine, n, fine).mean(axis=(1, 3))


@pytest.mark.parametrize("masked", [False, True])
def test_annuli_predict_what_pixels_hold(masked):
    centre, in_pixels, core = (60.3, 59.6), 30.0, 9.0
    image = beta_image()
    kept = np.ones(image.shape, dtype=bool)
    if masked:
        kept[20:70, 75:100] = False
        kept[61:64, 60:63] = False
    sphere = projection(r_max=1e3, n_radii=240)
    rings = annuli(image, kept, centre=centre, edges=annulus_edges(70.0), pixels_per_radius=in_pixels, sphere=sphere)
    emission = (1 + (sphere.r * in_pixels / core) ** 2) ** -2.0
    brightness = sphere.matrix @ emission / (np.pi / 2 * core / in_pixels)
    used = rings.area > 0
    assert (rings.response @ brightness)[used] == pytest.approx(rings.counts[used], rel=5e-3)
    assert rings.counts.sum() == pytest.approx(
        image[kept & (pixel_radii(120, centre) < rings.edges[-1])].sum(), rel=1e-3
    )
    assert rings.area.sum() == pytest.approx((kept & (pixel_radii(120, centre) < rings.edges[-1])).sum(), rel=1e-3)


TRUTH = {
    "one component": np.array([0.0, np.log(0.08), np.log(0.6), 0.6, 0.4, 2.4]),
    "two components": np.array([0.0, np.log(0.12), np.log(0.7), 0.4, 0.45, 2.0, np.log(60.0), np.log(0.03), 1.0]),
}


def annular_response(in_pixels=110.0):
    sphere = projection()
    empty = np.zeros((420, 420))
    rings = annuli(
        empty,
        np.ones(empty.shape, dtype=bool),
        centre=(210.0, 210.0),
        edges=annulus_edges(1.8 * in_pixels),
        pixels_per_radius=in_pixels,
        sphere=sphere,
    )
    return rings.response @ sphere.matrix, sphere.r


@pytest.mark.parametrize("truth", TRUTH.values(), ids=TRUTH)
def test_fit_recovers_expected_counts_and_mass(truth):
    response, r = annular_response()
    profile, ln_amplitude = profile_of(truth)
    shape = response @ (np.exp(ln_amplitude) * density(profile, r)[0] ** 2)
    scale = 3e5 / shape.sum()
    counts = np.random.default_rng(5).poisson(scale * shape).astype(float)
    fit = fit_emission(counts, response, r)
    assert fit.n_components == (2 if len(truth) > 6 else 1)
    assert abs(fit.deviance - fit.degrees_of_freedom) < 4 * np.sqrt(2 * fit.degrees_of_freedom)
    at = np.array([0.2, 0.5, 1.0])
    found, ln_found = profile_of(fit.parameters)
    mass = np.exp(ln_found / 2) * enclosed_mass(found, at)[0]
    expected = np.sqrt(scale) * np.exp(ln_amplitude / 2) * enclosed_mass(profile, at)[0]
    assert mass == pytest.approx(expected, rel=0.01)  # 3e5 photons give 0.2 %


def test_no_noise_means_no_deviance():
    response, r = annular_response()
    profile, _ = profile_of(TRUTH["one component"])
    shape = response @ density(profile, r)[0] ** 2
    fit = fit_emission(shape / shape.sum() * 1e6, response, r)
    assert fit.deviance < 0.05
    assert fit.expected == pytest.approx(shape / shape.sum() * 1e6, rel=2e-3)


def test_a_known_background_changes_no_profile():
    response, r = annular_response()
    profile, _ = profile_of(TRUTH["one component"])
    shape = response @ density(profile, r)[0] ** 2
    counts = shape / shape.sum() * 1e6
    background = 0.3 * counts.mean() * np.linspace(0.0, 1.0, len(counts))
    alone, beside = (
        fit_emission(counts, response, r),
        fit_emission(counts + background, response, r, background=background),
    )
    assert beside.deviance < 0.05
    assert beside.expected - background == pytest.approx(alone.expected, rel=5e-3)
    assert (np.diag(beside.covariance) > np.diag(alone.covariance)).all()  # more photons, no more knowledge
    ignored = fit_emission(counts + background, response, r)
    assert ignored.expected - background != pytest.approx(alone.expected, rel=0.05)


def test_fisher_errors_are_the_scatter_of_many_fits():
    response, r = annular_response()
    profile, _ = profile_of(TRUTH["one component"])
    shape = response @ density(profile, r)[0] ** 2
    rng = np.random.default_rng(2)
    ln_mass, error = [], []
    for _ in range(30):
        fit = fit_emission(rng.poisson(1e5 * shape / shape.sum()).astype(float), response, r)

        def value(parameters):
            found, ln_amplitude = profile_of(parameters)
            return ln_amplitude[0] / 2 + np.log(enclosed_mass(found, np.ones(1))[0, 0])

        steps = 1e-4 * np.eye(len(fit.parameters))
        gradient = np.array([(value(fit.parameters + s) - value(fit.parameters - s)) / 2e-4 for s in steps])
        ln_mass.append(value(fit.parameters))
        error.append(np.sqrt(gradient @ fit.covariance @ gradient))
    # The standard deviation of 30 draws is known to 13 %.
    assert np.std(ln_mass) == pytest.approx(np.median(error), rel=0.35)
