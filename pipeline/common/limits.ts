/**
 * Upper limits for numbers that another program wrote into a message, a row or a file. Such numbers decide how much
 * memory is allocated and how often loops run.
 */

/** Segments per clip: 300 days in segments of 10 minutes, 12 hours in segments of 1 s. Each one waits in memory. */
export const maxSegments = 43_200

/** Largest time within a clip, s: 30 years. Multiplied by a rate of 60 it is still an exact whole number of samples. */
export const maxTimeS = 1e9

/**
 * Dimensions of a vector: four times what the widest encoders have. As float32 it takes 64 KB, an eighth of a message.
 */
export const maxDimension = 16_384

/** Width or height of a picture, px: more than any video codec allows (H.265 and AV1 allow 65,536). */
export const maxSidePx = 1 << 17

/** Width or height of a model's input, px: four floats per pixel of the largest square input take 256 MB. */
export const maxInputSidePx = 4096

/** Embedded faces per track. */
export const maxFacesPerTrack = 64

/** Further embedders and context encoders in addition to a pack. */
export const maxFeatures = 64

/** Bytes of a JSON file that a person writes or a worker reads. Packs take 2 KB. */
export const maxJsonFileBytes = 1 << 20
