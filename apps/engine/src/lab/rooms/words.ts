/** Room codes: two short words that can be read out, heard and typed without asking back. */
import { randomInt } from 'node:crypto';

const FIRST =
  'able acid airy amber ample aqua arch arid azure bare basic blue bold brave brief bright brisk broad bronze busy ' +
  'calm candid careful cheery chief chilly civic clean clear clever close cloudy cold cool coral cosy crimson crisp ' +
  'curly dapper daring deep dizzy double dry dusty eager early easy elder empty equal exact extra fair famous fancy ' +
  'far fast fine firm first fleet fluffy fond formal fresh friendly frosty full funny gentle giant gifted glad golden ' +
  'grand great green grey handy happy hardy hearty heavy hidden high hollow honest humble icy ideal indigo inner ivory ' +
  'jolly just keen kind large late lazy light lilac little lively long loud loyal lucky lunar mellow merry mighty mild ' +
  'misty modern narrow neat nimble noble north novel olive open orange outer pale patient plain polar polite prime proud ' +
  'pure quick quiet rapid rare ready red rich ripe rosy round royal ruby rustic safe salty sandy scarlet sharp shiny ' +
  'short silent silver simple sleek slow small smart smooth snowy soft solar solid south spare steady still stormy strong ' +
  'sunny super sweet swift tall tame teal thick tidy tiny tough true vast velvet vivid warm west white wide wild windy ' +
  'wise witty yellow young zesty';

const SECOND =
  'acorn anchor apple arrow badger bagel bamboo banjo barge basin beacon beaver beetle bison boat bottle bridge brook ' +
  'bucket buoy cabin cactus camel canal candle canoe canyon captain cargo castle cedar cello cherry cliff clock cloud ' +
  'clover coast comet compass coral cork cottage crab crane crater crow daisy deck delta desert dock dolphin donkey dove ' +
  'dragon drum dune eagle eel egret engine falcon feather fern ferry field finch fjord flag flute forest fossil fox frog ' +
  'funnel galaxy galley garden gate gecko geyser glacier goose grape gull hammer harbor hare harp hawk hazel hedge heron ' +
  'hill hippo horn horse hull island jasmine jetty jigsaw kayak kettle kite koala ladder lagoon lake lamp lantern lark ' +
  'leaf lemon lily lion lizard llama lobster locket lotus magnet mango maple marble marina mast meadow melon meteor mill ' +
  'mirror moon moose moth mouse nest nickel oasis ocean octopus olive orbit orchid osprey otter owl oyster paddle panda ' +
  'parrot peach pearl pebble pelican penguin pepper piano pigeon pilot pine planet plum pond pony poppy port prism puffin ' +
  'puma quartz rabbit radar raft raven reef ribbon river robin rocket rope rose rudder sail salmon seal shark shell ship ' +
  'shore shrimp skate snail sparrow spider spruce squid star stone stork swan teapot temple tiger toad trail trout tulip ' +
  'tunnel turtle valley violet volcano walnut walrus whale willow wolf wren yacht zebra';

const first = FIRST.split(' ');
const second = SECOND.split(' ');

/** How many there are: what somebody who guesses has to try. */
export const CODE_COUNT = first.length * second.length;

export const newCode = (isTaken: (code: string) => boolean): string => {
  for (;;) {
    const code = `${first[randomInt(first.length)]}-${second[randomInt(second.length)]}`;
    if (!isTaken(code)) return code;
  }
};
