export { seededRandom } from '../../pipeline/head/random.js'
