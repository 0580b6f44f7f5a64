"""The built-in models: every module without an underscore is one plugin."""

import ed_core  # noqa: F401  # it names a backend before a plugin imports Keras

# What trains fastest on which backend is asked before a plugin, and with it Keras, is imported.
CONVOLUTIONAL = (
    "classifier",
    "coarse_and_fine",
    "conditional_gan",
    "conv_autoencoder",
    "conv_vae",
    "defect_detector",
    "digit_and_angle",
    "fusion_unet",
    "gan",
    "siamese",
    "signal_autoencoder",
    "unet",
    "unet_land_use_and_elevation",
    "video_autoencoder",
)
DENSE = (
    "autoencoder_classifier",
    "conditional_vae",
    "dense_autoencoder",
    "stacked_autoencoder",
    "vae",
)
