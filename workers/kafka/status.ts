/** Status messages replace each other by it: one a clip and recipe. */
export const statusKey = (recipe: string, uri: string) => `${recipe}/${uri}`
