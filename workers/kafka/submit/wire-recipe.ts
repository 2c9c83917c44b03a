import { chooseEncoders, chooseSettings, type RecipeOptions } from '../../../index/archive/choose-recipe.js'
import type { ArchiveRecipe } from '../../../index/store/meta.js'
import { checkHead, readHeadFile } from '../../../pipeline/describe/head/head-file.js'
import { defaultPackName, findPack, keepablePackName } from '../../../pipeline/models/packs/catalog.js'
import { createRecipe } from '../../../pipeline/recipe/recipe.js'
import type { WireRecipe } from '../messages/schemas.js'

/**
 * The recipe that jobs carry. What is not asked for comes from the archive, if there is one, then from the defaults.
 * @throws USAGE, and the errors of files that cannot be read
 */
export async function wireRecipeOf(
  asked: RecipeOptions,
  own: ArchiveRecipe | undefined,
): Promise<WireRecipe> {
  const packName = asked.pack ?? own?.packName ?? defaultPackName
  const settings = chooseSettings(asked, own)
  const headPath = asked.head ?? own?.headFile
  const head = headPath === undefined ? undefined : await readHeadFile(headPath)
  const headSha256 = head?.sha256
  const encoders = await chooseEncoders(asked, own)
  const recipe = createRecipe(findPack(packName), settings, headSha256, encoders)
  if (head !== undefined) checkHead(head, recipe)
  const { digest, embedderDigest, spaceDigest, features } = recipe
  return {
    ...{ digest, embedderDigest, spaceDigest, settings },
    packName: keepablePackName(packName),
    ...(headSha256 === undefined ? {} : { headSha256 }),
    ...(features === undefined ? {} : { features }),
  }
}
