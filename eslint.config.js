// tsc checks types. This file adds rules for what tsc does not report, for example floating promises and silenced types.
// .dependency-cruiser.mjs defines which files may import which.
import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import svelte from 'eslint-plugin-svelte'
import tseslint from 'typescript-eslint'

const isDatabase = (type) =>
  ['Database', 'Statement'].includes(type.symbol?.name) &&
  type.symbol.declarations?.some((at) => at.getSourceFile().fileName.includes('/@types/better-sqlite3/'))

/** SQL stays in index/store. Other code may only pass a database on and close it. */
const sqlInStoreOnly = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { sql: 'Only index/store talks to the database: give it a function that says what this does.' },
  },
  create(context) {
    const { getTypeAtLocation } = context.sourceCode.parserServices
    return {
      MemberExpression(node) {
        const isHarmless =
          node.property.type === 'Identifier' && ['close', 'readonly'].includes(node.property.name)
        if (!isHarmless && isDatabase(getTypeAtLocation(node.object)))
          context.report({ node, messageId: 'sql' })
      },
    }
  },
}

export default tseslint.config(
  {
    ignores: [
      'index/vectors/sign-codes/assembly/',
      'pipeline/onnx/proto/',
      'workers/http/client/api-types.ts',
      'dist/',
      'node_modules/',
      'cameo-data/',
      'demo-output/',
      'bench-output/',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.svelte'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      // The API pages show the members of an interface, but not those of a schema's inferred type.
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: ['error', 'always'],
    },
  },
  {
    files: ['pipeline/**', 'index/**', 'workers/**', 'scripts/**'],
    rules: { 'max-lines-per-function': ['error', { max: 80, skipComments: true, skipBlankLines: true }] },
  },
  {
    files: ['pipeline/**/*.ts', 'index/**/*.ts', 'workers/**/*.ts', 'scripts/**/*.ts'],
    ignores: ['index/store/**'],
    plugins: { cameo: { rules: { 'sql-in-store-only': sqlInStoreOnly } } },
    rules: { 'cameo/sql-in-store-only': 'error' },
  },
  {
    // node:test's describe/it return promises that the runner itself awaits.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser, extraFileExtensions: ['.svelte'] } },
    rules: {
      // The router handles plain links: nothing of SvelteKit is used.
      'svelte/no-navigation-without-resolve': 'off',
      // The parser of Svelte does not know the types of snippets and of some bindings.
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // TypeScript finds names that are not defined.
      'no-undef': 'off',
      // Properties of which some are bound are declared together.
      'prefer-const': 'off',
      'svelte/prefer-const': ['error', { destructuring: 'all', excludedRunes: ['$props', '$derived'] }],
    },
  },
  {
    // These files run in Node, in the build.
    files: ['workers/http/page/*.js'],
    rules: { 'no-undef': 'off' },
  },
  prettier,
  ...svelte.configs.prettier,
)
