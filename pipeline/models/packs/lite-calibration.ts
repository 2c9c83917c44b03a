import type { Calibration } from './pack.js'

/**
 * Measured by "npm run calibrate": 1,407,050 pairs of a photo and a track, and 1,947,295 pairs of photos, each of
 * different people; 377 people of Labeled Faces in the Wild; the tracks come from clips made of their photos at
 * hardness 1.
 */
export const liteCalibration: Calibration = {
  threshold: 0.373,
  falseAcceptRate: 0.0003,
  curve: [
    [-0.214, 0.99],
    [-0.116, 0.9],
    [-0.045, 0.7],
    [0.005, 0.5],
    [0.055, 0.3],
    [0.13, 0.1],
    [0.193, 0.03],
    [0.242, 0.01],
    [0.291, 0.003],
    [0.33, 0.001],
    [0.373, 0.0003],
    [0.413, 0.0001],
  ],
  tail: {
    scale: 0.0348,
    interval: [
      { rate: 4.6e-5, scale: 0.029 },
      { rate: 0.00019, scale: 0.0394 },
    ],
  },
  likelihood: [
    {
      belowQuality: 0.45,
      logRatios: [
        [-0.1, -3.6],
        [-0.05, -3.3],
        [0, -2.65],
        [0.05, -1.85],
        [0.1, -1.02],
        [0.15, -0.02],
        [0.2, 1.06],
        [0.25, 2.22],
        [0.3, 3.74],
        [0.35, 5.25],
        [0.4, 7.11],
        [0.45, 8.83],
        [0.5, 10.21],
        [0.55, 10.41],
      ],
    },
    {
      belowQuality: 0.65,
      logRatios: [
        [0, -5.88],
        [0.05, -5.43],
        [0.1, -4.21],
        [0.15, -2.6],
        [0.2, -0.9],
        [0.25, 0.8],
        [0.3, 2.45],
        [0.35, 4.26],
        [0.4, 6.11],
        [0.45, 7.79],
        [0.5, 9.29],
        [0.55, 10.56],
        [0.6, 11.17],
      ],
    },
    {
      belowQuality: 2,
      logRatios: [
        [0, -6.15],
        [0.05, -5.8],
        [0.1, -5.27],
        [0.15, -4.79],
        [0.2, -3.58],
        [0.25, -1.87],
        [0.3, -0.07],
        [0.35, 2.51],
        [0.4, 4.42],
        [0.45, 6.1],
        [0.5, 7.79],
        [0.55, 9.37],
        [0.6, 10.57],
        [0.65, 11.28],
        [0.7, 11.3],
      ],
    },
  ],
}
