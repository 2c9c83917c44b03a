/**
 * The most that is believed of a number which another program wrote: a message, a row, a file. Memory is taken, and loops are
 * run, by such numbers.
 */

/** Segments of a clip: 300 days in segments of 10 minutes, 12 hours in segments of 1 s. Each waits in memory. */
export const maxSegments = 43_200

/** Of a time within a clip, s: 30 years. Times a rate of 60 it is still a whole number of samples to the bit. */
export const maxTimeS = 1e9

/** Values of a vector: four times what the widest encoders give. As float32 it takes 64 KB, an eighth of a message. */
export const maxDimension = 16_384

/** Width or height of a picture, px: more than any video codec can say (65,536 is H.265's and AV1's most). */
export const maxSidePx = 1 << 17

/** Width or height of a model's input, px: four floats of the largest square one take 256 MB. */
export const maxInputSidePx = 4096

/** Faces of a track that are embedded. */
export const maxFacesPerTrack = 64

/** Further embedders and context encoders beside a pack. */
export const maxFeatures = 64

/** Bytes of a JSON file that a person writes or a worker reads: packs take 2 KB. */
export const maxJsonFileBytes = 1 << 20
