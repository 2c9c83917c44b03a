import type { Calibration } from './pack.js'

/**
 * Measured by "npm run calibrate -- --pack sface": 1,352,319 pairs of a photo and a track, and 1,898,515 pairs of
 * photos, each of different people; 375 people of Labeled Faces in the Wild; the tracks come from clips made of their
 * photos at hardness 1.
 */
export const sfaceCalibration: Calibration = {
  threshold: 0.387,
  falseAcceptRate: 0.0003,
  curve: [
    [-0.133, 0.99],
    [-0.038, 0.9],
    [0.031, 0.7],
    [0.078, 0.5],
    [0.126, 0.3],
    [0.193, 0.1],
    [0.247, 0.03],
    [0.288, 0.01],
    [0.326, 0.003],
    [0.357, 0.001],
    [0.387, 0.0003],
    [0.417, 0.0001],
  ],
  tail: {
    scale: 0.0258,
    interval: [
      { rate: 3.7e-5, scale: 0.0207 },
      { rate: 0.0002, scale: 0.0314 },
    ],
  },
  likelihood: [
    {
      belowQuality: 0.65,
      logRatios: [
        [-0.1, -3.75],
        [-0.05, -3.68],
        [0, -3.25],
        [0.05, -2.71],
        [0.1, -2.1],
        [0.15, -1.4],
        [0.2, -0.42],
        [0.25, 0.88],
        [0.3, 2.41],
        [0.35, 4.39],
        [0.4, 6.42],
        [0.45, 8.34],
        [0.5, 10],
        [0.55, 10.64],
      ],
    },
    {
      belowQuality: 0.8,
      logRatios: [
        [0.15, -5.76],
        [0.2, -4.19],
        [0.25, -2.04],
        [0.3, -0.02],
        [0.35, 2.28],
        [0.4, 4.99],
        [0.45, 7.3],
        [0.5, 9.4],
        [0.55, 11.02],
        [0.6, 11.61],
      ],
    },
    {
      belowQuality: 2,
      logRatios: [
        [0.15, -6.24],
        [0.2, -5.53],
        [0.25, -3.76],
        [0.3, -1.65],
        [0.35, 0.36],
        [0.4, 3.21],
        [0.45, 6.25],
        [0.5, 8.77],
        [0.55, 10.37],
        [0.6, 10.92],
      ],
    },
  ],
}
