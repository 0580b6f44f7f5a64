"""Experiments of `run.py`: each is one `edkit train` and one number of `evaluate`."""

from experiment import Experiment, Gain

FIVE = (0, 1, 2, 3, 4)
CLASSES = tuple(map(str, range(10)))


PERCENT = ("{:.1f} %", 100.0)

_FINE = (
    (100, 12, 0.92, "majority 10 %", "jax"),
    (25, 4, 0.895, "PCA-32 + 5-NN: 82.7 %", "tensorflow"),
    (5, 3, 0.86, "PCA-32 + 5-NN: 79.8 %", "tensorflow"),
)
"""Percent of the labels, epochs, goal, floor, backend."""


def _few(share: int) -> str:
    """Return the options that leave a share of the labels."""
    few = f"--labels fine={share / 100:g} --stratified --oversample fine=0.9 "
    return few if share < 100 else ""


def _share(share: int) -> str:
    return "all of their" if share == 100 else f"{share} % of their"


_ALL: tuple[Experiment, ...] = (
    Experiment(
        "deep",
        "30 numbers an image, deep auto-encoder, MNIST: squared error per image",
        "dense_autoencoder --data mnist --hidden 1000,500,250 --latent 30 --activation elu "
        "--code-activation linear --epochs 40",
        "sum_squared_error",
        ("at most", 3.0),
        "PCA 13.87; Hinton & Salakhutdinov, 2006: 3.00",
        backend="jax",
    ),
    Experiment(
        "vae",
        "2-D VAE, MNIST: negative ELBO, nats",
        "vae --data mnist --hidden 512,256 --learning-rate 0.002 --epochs 60",
        "neg_elbo",
        ("at most", 138.0),
        "keras.io's example, on train and test: 146.95",
        backend="jax",
        unit=("{:.1f}", 1.0),
    ),
    *(
        Experiment(
            f"one_class_{data}",
            f"one-class anomaly, {title}: mean AUROC over ten classes",
            f"dense_autoencoder --data {data} --only label={{item}} --latent 32 --epochs 30",
            "auroc",
            ("at least", goal),
            floor,
            backend="jax",
            evaluate="--anomaly",
            items=CLASSES,
            beside=("pca_auroc", "pca_score_auroc"),
            also="PCA-32 {pca_auroc:.1%}, and {pca_score_auroc:.1%} with the auto-encoder's score",
            unit=PERCENT,
        )
        for data, title, goal, floor in (
            ("mnist", "MNIST", 0.965, "PCA-32: 95.5 %; Deep SVDD 94.8 %"),
            ("fashion_mnist", "Fashion-MNIST", 0.92, "PCA-32: 90.5 %"),
        )
    ),
    *(
        Experiment(
            f"fine_{share}",
            f"fine classes of Fashion-MNIST, {_share(share)} labels: accuracy",
            f"coarse_and_fine --data fashion_mnist {_few(share)}"
            f"--learning-rate 0.002 --epochs {epochs}",
            "fine_accuracy",
            ("at least", goal),
            floor,
            seeds=FIVE,
            backend=backend,
            unit=PERCENT,
        )
        for share, epochs, goal, floor, backend in _FINE
    ),
    *(
        Experiment(
            f"fine_{share}_alone",
            f"the same, {share} %, without the helping heads",
            f"coarse_and_fine --data fashion_mnist {_few(share)}"
            f"--reconstruction 0 --weight coarse=0 --learning-rate 0.002 --epochs {epochs}",
            "fine_accuracy",
            seeds=FIVE,
            backend=backend,
            unit=PERCENT,
        )
        for share, epochs, _, _, backend in _FINE
    ),
    Experiment(
        "encoder",
        "",
        "conv_autoencoder --data fashion_mnist --filters 16,32,8 --noise 0.2 --epochs 10",
        "mse",
    ),
    *(
        Experiment(
            f"label_1_{start}",
            f"classes of Fashion-MNIST, 1 % of the labels, encoder {title}: accuracy",
            f"classifier --data fashion_mnist --encoder {{encoder}} --start {start} "
            "--labels label=0.01 --stratified --batch-size 32 --epochs 40",
            "label_accuracy",
            seeds=FIVE,
            needs=("encoder",),
            unit=PERCENT,
        )
        for start, title in (("trained", "trained before"), ("random", "from scratch"))
    ),
    Experiment(
        "angle",
        "rotated MNIST digits: RMSE of the angle, degrees",
        "digit_and_angle --data rotated_digits:source=mnist --weight label=30 "
        "--learning-rate 0.002 --epochs 12",
        "angle_rmse",
        ("at most", 9.0),
        "mean angle: 26.2",
        seeds=(0, 1, 2, 3),
        beside=("label_accuracy",),
        also="digits {label_accuracy:.1%}, goal at least 98%",
    ),
    Experiment(
        "angle_alone",
        "the same without the digits' head",
        "digit_and_angle --data rotated_digits:source=mnist --weight label=0 "
        "--learning-rate 0.002 --epochs 12",
        "angle_rmse",
        seeds=(0, 1, 2, 3),
    ),
    Experiment(
        "judge",
        "",
        "classifier --data mnist --dropout 0.3 --epochs 3",
        "label_accuracy",
    ),
    Experiment(
        "conditional_gan",
        "conditional GAN, MNIST: drawn as asked, by an independent classifier",
        "conditional_gan --data mnist --batch-size 64 --learning-rate 0.0006 --epochs 8",
        "agreement",
        ("at least", 0.95),
        "chance 10 %",
        needs=("judge",),
        evaluate="--classifier {judge}",
        beside=("diversity",),
        also="spread within a class {diversity:.2f} of the real one",
        unit=PERCENT,
    ),
    *(
        Experiment(
            f"scenes_{data}",
            f"{title}: class-mean IoU",
            f"unet --data folder:{data} --augment {augment} --stride 2 "
            "--filters 12,24,48,96,128 --batch-size 8 "
            f"--learning-rate 0.003 --class-weights mask={weights} --epochs {epochs}",
            "mask_mean_iou",
            ("at least", goal),
            floor,
            unit=PERCENT,
        )
        for data, title, augment, weights, epochs, goal, floor in (
            (
                "camvid",
                "CamVid street scenes, 240x180, validation, 11 classes",
                "street",
                "1,1,3,1,1.5,1,3,3,1.2,4,5",
                40,
                0.5,
                "SegNet 46.4 %, U-Nets 49 to 61 %, at 480x360",
            ),
            (
                "dubai_landuse",
                "land use of Dubai, validation, 5 classes",
                "aerial",
                "1,1,2,1,1.5",
                120,
                0.6,
                "",
            ),
        )
    ),
    *(
        Experiment(
            f"terrain_{model}",
            f"land use of generated terrain, {title}: class-mean IoU",
            f"{model} --data land_use --batch-size 16 --learning-rate 0.002 --epochs 15",
            "mask_mean_iou",
            seeds=(0, 1, 2),
            unit=PERCENT,
        )
        for model, title in (("unet", "RGB alone"), ("fusion_unet", "RGB and elevation"))
    ),
    *(
        Experiment(
            f"zion_{model}",
            f"land cover of Zion, {title}: class-mean IoU",
            f"{model} --data folder:zion_landcover --augment aerial --batch-size 8 "
            "--learning-rate 0.002 --epochs 40",
            "mask_mean_iou",
            seeds=(0, 1, 2),
            unit=PERCENT,
        )
        for model, title in (("unet", "RGB alone"), ("fusion_unet", "RGB and elevation"))
    ),
)
EXPERIMENTS = {experiment.name: experiment for experiment in _ALL}

GAINS = (
    *(
        Gain(
            f"fine classes, {share} % of the labels: what the helping heads add, points",
            f"fine_{share}",
            f"fine_{share}_alone",
            "whatever it is",
        )
        for share in (100, 25, 5)
    ),
    Gain(
        "rotated digits: what the digits' head adds to the error of the angle, degrees",
        "angle",
        "angle_alone",
        "no more than 0, within its interval",
        scale=1.0,
    ),
    Gain(
        "1 % of the labels: what the pre-trained encoder adds, points",
        "label_1_trained",
        "label_1_random",
    ),
    Gain(
        "land use: what elevation adds, points of IoU",
        "terrain_fusion_unet",
        "terrain_unet",
        "whatever it is",
    ),
    Gain(
        "Zion: what elevation adds, points of IoU",
        "zion_fusion_unet",
        "zion_unet",
        "whatever it is",
    ),
)
