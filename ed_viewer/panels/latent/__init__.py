"""Panels of the latent code."""

from ed_viewer.panels.latent import latent_codes as latent_codes
from ed_viewer.panels.latent import latent_scan as latent_scan
