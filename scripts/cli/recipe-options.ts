import { Option, type Command } from 'commander'
import { defaultPackName } from '../../pipeline/models/packs/catalog.js'
import { numberWithin } from './options.js'
const collect = (value: string, before: readonly string[] = []) => [...before, value]

export const embedderOption = () =>
  new Option(
    '--embedder <json>',
    'a further embedder, whose embeddings of the same faces are stored too; may be repeated',
  ).argParser(collect)

export const contextOption = () =>
  new Option(
    '--context <json>',
    'an image encoder, whose features of whole frames are stored for each segment; may be repeated',
  ).argParser(collect)

export const withRecipeOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--pack <name>', `model pack, or a JSON file of your own (default: ${defaultPackName})`),
    )
    .addOption(new Option('--head <file>', 'ONNX head over the pooled embedding'))
    .addOption(embedderOption())
    .addOption(contextOption())
    .addOption(
      new Option('--fps <number>', 'how many frames of each second are looked at (default: 4)').argParser(
        numberWithin(0.01, 60),
      ),
    )
    .addOption(
      new Option('--sampling <kind>', 'look at frames by time, or only at key frames').choices([
        'fps',
        'keyframes',
      ]),
    )
    .addOption(
      new Option(
        '--min-face <px>',
        'smallest face height to find, in pixels of the clip (default: 40)',
      ).argParser(numberWithin(12, 2000)),
    )
    .addOption(
      new Option(
        '--faces-per-track <k>',
        'how many of the best faces of a track are embedded (default: 8)',
      ).argParser(numberWithin(1, 64, 'integer')),
    )
    .addOption(
      new Option('--mirror', 'embed mirror images, too: takes twice the time, is a little more robust'),
    )
    .addOption(
      new Option(
        '--keep-mirrored',
        'keep the embeddings of mirror images beside those of the faces, for "cameo head train"',
      ),
    )
    .addOption(
      new Option(
        '--segment <s>',
        'length of the parts that long clips are split into (default: 600)',
      ).argParser(numberWithin(1, 86_400)),
    )
