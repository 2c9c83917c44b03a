import { Option } from 'commander'
import { defaultPackName } from '../../pipeline/models/packs/catalog.js'

export const packOption = () =>
  new Option('--pack <pack>', 'model pack, or a JSON file of your own').default(defaultPackName)

export const alignedOption = () =>
  new Option('--aligned', 'the pictures are already aligned faces of 112×112 px: no detection').default(false)
