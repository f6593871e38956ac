#include "probes/kit/dictionary.h"

#include <algorithm>

namespace holdshort {
namespace {

constexpr std::string_view kNaming = R"(
secret token key password passwd pwd jwt api hmac credential placeholder changeme replace insert your my
)";

constexpr std::string_view kFrequent = R"(
pass pass123 passphrase change app auth session cookie access refresh sign signing encryption encrypt encrypted cipher
private public client server service oauth bearer webhook salt hash seed value string random text default example
sample demo dummy fake test testing tests dev develop developer development prod production stage staging local
localhost debug temp temporary todo fixme admin root user users guest master super top main very really long short
strong weak safe secure security insecure unsafe please here now this that these the it is are was be been do does
not never no and or but if in into on of to for from with at by an as me we us you our their must should need will
can could would have has had only just all any some use used using set put get add enter make minimum least bit bits
byte bytes char chars character characters base data database db postgres postgresql mysql redis mongo mongodb
123 1234 12345 123456 1234567 12345678 123456789 1234567890 abc abc123 qwerty asdf foo bar foobar baz
hello world welcome letmein iloveyou love hunter monkey dragon shadow sunshine princess football baseball
)";

constexpr std::string_view kOrdinary = R"(
able about above accept account acme across act action active actor actual adapt address adjust adult advance advice
affair afford afraid after again against age agency agent agree ahead aim air airport alarm album alert alive allow
almost alone along already also alter although always amazing among amount analysis ancient anger angle angry animal
announce annual another answer anyone anything apart apple apply approve april arch area arena argue arm army around
arrange arrest arrive arrow art article artist aside ask asleep aspect asset assign assist assume athlete atom attack
attempt attend august aunt author autumn average avoid awake aware away awesome awful baby back backup bacon bad badge bag
bake balance ball banana band bank banner bare barrel basic basket bat batch bath battery battle beach bean bear beast
beat beautiful beauty because become bed bee beef beer before begin behave behind being believe bell belong below belt
bench bend best beta better between beyond bicycle big bike bill bind bird birth birthday bit bitter black blade blame
blank blast blend bless blind block blog blood bloom blow blue board boat body boil bold bolt bomb bond bone bonus book
boot border boring born borrow boss both bottle bottom bounce bow bowl box boy brain branch brand brave bread break
breath breeze brick bridge brief bright bring broad broken bronze brother brown brush bubble bucket buddy budget buffer
bug build builder building bulk bullet bundle burger burn bus bush business busy butter button buy cabin cable cache cactus
cake call calm camel camera camp canal cancel candle candy cannon canvas cap capital captain car carbon card care
career cargo carpet carrot carry cart case cash castle casual cat catch cattle cause cave ceiling cell center central
century certain chain chair chalk champion chance channel chaos chapter charge chart chase chat cheap check checkout
cheese cherry chess chest chicken chief child chocolate choice choose chunk church circle citizen city civil claim
class classic clay clean clear clever click cliff climb clinic clock clone close cloth cloud clown club cluster coach
coast coat code coder coffee coil coin cold collect college color colour column combine come comfort comic command comment
commerce commit common company compare complete complex computer concert condition config configuration confirm connect
connection consider console constant contact container content contest context continue contract control cook cookie
cool copper copy coral core corn corner corp corporate correct cost cotton couch count counter country couple courage
course court cousin cover cow crack craft crane crash crawl crazy cream create credit creek crew cricket crime crisp
critical crop cross crowd crown cruel cruise crunch cry crypto crystal cube culture cup curious current curtain curve
custom customer cycle dad daily damage dance danger dangerous dare dark dash dashboard date daughter dawn day dead deal
dealer dear death debate debt decade december decide deck deep deer defense degree delay deliver demand deny depart
depend deploy depth derive desert design desk detail detect device devil diamond dice diesel diet differ digital dinner
dinosaur direct direction dirt dirty disc discover dish display distance divide dizzy docker doctor document dog doll
dollar dolphin domain done donkey donor door dot double doubt down draft drama draw drawer dream dress drift drill drink
drive driver drop drum dry duck dumb during dust duty dynamic each eager eagle early earn earth easily east easy eat
echo edge edit editor effect effort egg eight either elastic elder electric elegant element elephant elevator else email
ember emerge employ empty enable end endpoint energy engine engineer english enjoy enough ensure enterprise entire entry
environment envy equal error escape essay eternal ethics even evening event ever every everybody everyone everything evil
exact exam excel excess exchange excite exclude excuse exist exit exotic expand expect expert explain export expose
express extend extra eye fabric face fact factor factory fade fail faint fair fairy faith fall false fame family famous
fan fancy fantasy far farm farmer fashion fast fat fatal father fault favorite fear feature february federal feed feel
fellow fence festival fetch fever few fiber fiction field fifty fight figure file film filter final find finger finish fire
firewall firm first fish fit five fix fixed flag flame flash flat flavor flee flight flip float flock floor flow flower
fluid fly flying focus fog fold folder follow food fool foot force forest forever forget fork form format formula fort
fortune forum forward fossil found fountain four fox frame framework freak free freedom freeze french fresh friday friend
friendly frog front frost frozen fruit fuel full fun function funny fury future gadget galaxy gallery game gamer gap
garage garbage garden garlic gas gate gateway gather gauge general generate generated generic genius gentle german ghost
giant gift giggle giraffe girl give glad glance glass global globe glory glove glow glue goal goat god gold golden golf
good google goose gopher gorilla gossip govern gown grab grace grade grain grand grandma grant grape graph grass gravity
gray great green greet grey grid grill grip grocery ground group grow guard guess guide guitar gun guy gym habit hack
hacker hair half hall hammer hamster hand handle happen happy harbor hard harry harvest hat hate have hawk hazard head
health hear heart heat heaven heavy hedge height helicopter hell helmet help helper hen hero hidden hide high highway hill
him hint hip hire his history hit hobby hockey hold hole holiday hollow home honest honey hood hook hope horizon horn
horror horse hospital host hosting hot hotel hour house how howdy hub huge human humor hundred hungry hunt hurricane hurry
hurt husband hybrid ice icon idea identity idle ignore ill image imagine immune impact important impossible improve
inbox inch include income increase index indigo industry infant info inform information initial inject ink inner input
inside instance instead int integer intel internal internet invest invite invoice iron island issue item ivory jacket
jaguar jail jam james january jar java javascript jazz jealous jeans jelly jewel job john join joke joker journey joy
judge juice july jump june jungle junior junk jupiter jury justice kangaroo keep kernel keyboard kick kid kill kind king
kingdom kiss kitchen kite kitten kiwi knee knife knight knock know knowledge kubernetes label labor ladder lady lake lamp
language laptop large laser last late later laugh laundry lava law lawn lawyer layer lazy lead leader leaf league learn
leather leave lecture left leg legal legend lemon lend length lens leopard lesson letter level liberty library license
life lift light lightning like lily limb limit limited line link linux lion lip liquid list listen little live liver
lizard load loan lobby lobster lock logic login logo lonely look loop lord lose lost loud lounge low loyal luck lucky lunch
lunar luxury lyrics machine mad magic magnet maid mail make maker male mall mammal man manage manager mango mansion manual
many map maple marble march margin marine mark market marriage mars mask mass match material math matrix matter max
maximum maybe mayor maze meadow mean measure meat mechanic medal media melody melt member memory mention menu mercury
mercy merge merit merry mesh message metal method metric metro middle midnight migrate might mike mile milk mill million
mimic mind mine miner mini minor mint minute miracle mirror miss mission mistake mix mixed mobile mode model modern modify
module mom moment monday money monitor month moon moral more morning mosquito most mother motion motor mountain mouse
mouth move movie much mud muffin multiply muscle museum mushroom music mustang mutual mystery myth naive name narrow nasty
nation national native nature naval near neat nebula neck negative neighbor neither nephew nerve nest net network neutral
new news next nice night nine ninja noble nobody node noise none noodle normal north nose note notebook nothing notice
novel november nowhere nuclear number nurse nut oak oasis object observe obtain obvious ocean october odd off offer
office often oil okay old olive olympic once one onion online open opera opinion oppose option orange orbit orchard
order ordinary organ orient origin original orphan ostrich other otter outdoor outer output outside oval oven over owl own
owner oxygen oyster pacific pack package packet page paint pair palace palm panda panel panic panther paper parade parent
park parrot part partner party past paste patch path patient patrol pattern pause pave pay payload payment peace peach
peacock peanut pear pearl pen penalty pencil penguin people pepper perfect permit person personal pet phantom phone photo
phrase piano picnic picture piece pig pigeon pill pilot pin pine pink pioneer pipe pirate pistol pitch pixel pizza place
plain plan planet plant plastic plate platform play player plaza plug plus pocket poem poet point poison polar pole police
policy polite pond pony pool poor pop popular port portal portion position positive possible post potato pottery pound
powder power practice praise predict prefer prefix prepare present president pretty prevent price pride primary prime
primer prince print priority prison prize problem process produce product profile profit program project promise promote
proof property protect protected proud provide proxy pulse pump punch pupil puppy purchase pure purple purpose push puzzle
pyramid python quality quantum quarter queen query quest question queue quick quiet quit quiz quote rabbit raccoon race
rack radar radio rail rain rainbow raise rally ramp ranch range ranger rapid rare rate rather raven raw razor reach read
reader ready real reality reason rebel rebuild recall receive recipe record recover recycle red reduce reef reflect
regex region regret regular reject relax release relief rely remain remember remind remote remove render renew rent repair
repeat reply report request require rescue reset resist resource response rest result retire return reveal review reward
rhythm rib ribbon rice rich ride ridge rifle right rigid ring riot ripple rise risk ritual rival river road roast robot
robust rocket rock rockstar role roll romance roof rookie room rose rotate rough round route router royal rubber ruby rude
rug rule run runner rural rush rust sad saddle saga sail salad salmon salon salsa salute same samurai sand sandbox
sandwich satan satoshi saturday sauce sausage save say scale scan scare scatter scene schedule schema scheme school science
scissors scorpion scout scrap screen script scrub sea search season seat second section sector see seed seek segment select
self sell send senior sense sensitive sentence separate september series serious serve seven several shaft shallow shape
share shark sharp shed sheep sheet shelf shell sheriff shield shift shine ship shirt shiver shock shoe shoot shop shopping
shore shoulder shout show shower shrimp shrug shuffle shut shy sick side siege sight sigma signal silent silicon silk
silly silver similar simple since sing single sink sister site six size skate sketch ski skill skin skirt skull sky slam
sleep slice slide slim slow small smart smile smoke smooth snack snake snap snow snowball soap soccer social sock soda
soft software solar soldier solid solution solve someone something song soon sorry sort soul sound soup source south space
spaceship spare spark spatial speak special speed spell spend sphere spice spider spike spin spirit split spoil sponsor
spoon sport spot spray spread spring spy square squirrel stable stack stadium staff stairs stamp stand standard staple star
start startup state static station status stay steak steal steam steel step stereo stick still sting stock stomach stone
stop store storage storm story stove strange stranger strategy stream street strike stripe struggle student studio stuff
style subject submit subway success such sudden suffer sugar suggest suit summer sun sunday sunny sunset supply support
supreme sure surf surface surge surprise survey swallow swamp swan swap sweet swift swim swing switch sword symbol symptom
syrup system table tablet tackle tag tail take talent talk tall tango tank tape target task taste tattoo taxi tea teach
teacher team tech technology telecom tell ten tenant tennis tent term terminal tesla texas than thank thanks theme then
theory there they thing think third thirty thought thousand three thrive throw thumb thunder thursday ticket tide tiger tilt
timber time tiny tip tired tissue titan title toast tobacco today toddler toe together toilet tomato tomorrow tone tongue
tonight tool tooth topic topple torch tornado tortoise total touch tough tour toward tower town toy track trade traffic
tragic trail train transfer trap trash travel tray treasure treat tree trend trial tribe trick trigger trim trip trophy
trouble truck true truly trumpet trust truth try tube tuesday tuna tunnel turbo turkey turn turtle twelve twenty twice twin
twist two type typical ugly ultimate ultra umbrella unable uncle under undo unicorn uniform union unique unit united unity
universe university unknown until unusual update upgrade upload upon upper upset urban usage useful usual utility vacation
vacuum vague valid valley valve van vanish vapor various vast vault vector vehicle velvet vendor venture verb verify
version vessel veteran viable victory video view village vintage violet violin virtual virus visa visit visual vital vivid
vocal voice void volcano volume vote voyage wage wagon wait walk wall wallet walnut want war warm warning warrior wash wasp
waste watch water wave way wealth weapon wear weather web website wedding wednesday week weekend weird west wet whale what
whatever wheat wheel when where which while whisper white who whole whose why wide wife wild wind window wine wing wink
winner winter wire wisdom wise wish witness wizard wolf woman wonder wonderful wood wool word work worker workshop worry
worth wrap wreck wrestle wrist write writer wrong xray yard year yellow yes yesterday yet young youth zebra zero zone zoo
alice amanda andrew anna anthony ashley ben bob brian carlos charlie chris daniel david dennis diana edward emma eric
frank george grace hannah helen henry jack jackson jacob jason jennifer jessica jordan joseph joshua julia karen kevin
laura linda lisa lucas maria mark martin mary matthew max michael michelle nancy nicole oliver oscar patrick paul peter
rachel richard robert robin ryan samantha samuel sarah scott simon sophia stephen steven susan thomas tom victoria william
africa america amsterdam australia berlin boston brazil california canada chicago china denver dublin europe florida
france frankfurt germany india ireland israel italy japan london madrid mexico moscow paris rome russia seattle spain
sweden sydney tokyo toronto vienna warsaw
agile ajax android angular apache apollo aws azure bitcoin bot cloudflare cms crm csv css django ecommerce erp ethereum
express fastapi firebase flask git github gitlab golang grafana graphql heroku html http https httpd ios jenkins json
kafka lambda laravel mariadb microservice mqtt next nginx nodejs npm nuxt oracle orders payments php pipeline prisma
rabbitmq rails react rest rpc saas scala slack smtp spring sql ssh ssl stripe supabase svelte swagger swift telegram
terraform tls twilio typescript ubuntu uuid vercel vue webapp websocket windows wordpress worker xml yaml
absolute abstract accident alpha amber anchor android angel antenna anvil apricot arcade armor asteroid atlas aurora
autumn avocado axis badger bagel bamboo barn basil beacon beaver beetle bishop bison blanket blizzard blossom boulder
bouquet breakfast broccoli broom buffalo butterfly cabbage candid canyon cardinal caribou cascade cathedral celery cello
cement cereal charm cheetah chimney cinnamon citrus clarinet clover cobalt cobra coconut comet compass condor cookbook
cosmic cottage cougar coyote crab cradle crater crayon crimson cucumber cupcake cyan cyclone daisy dazzle delta denim
dragonfly drizzle easel eclipse ember emerald falcon feather fern ferry fiddle flamingo flannel flute forge fragile
galactic gazelle gecko gelatin geyser ginger glacier gnome goblin gondola granite grove hamlet harmony hazel heron hickory
hippo honeycomb hornet hydrogen iceberg igloo iguana insect jasmine jigsaw jockey juniper kelp kettle koala lantern
lavender lemonade lettuce lilac lime llama locket lotus lynx macaroni magenta magma magnolia mammoth maroon mermaid meteor
mongoose moose mosaic mustard napkin nectar nickel nimbus nutmeg obsidian octopus onyx opal orchid origami osprey paddle
papaya paprika parsley pebble pelican peony petunia pickle pillow pineapple pistachio platinum plum polka popcorn poppy
porcupine prairie pretzel prism pumpkin puma quail quartz quill radish raisin raspberry rattle reindeer rhino robin rodeo
saffron sapphire satin saturn scarf seagull sequoia shamrock sherbet skeleton sparrow spinach spiral sprout starfish
strawberry sundae swan tangerine teapot temple thistle tiara topaz toucan tulip turquoise twilight umber vanilla venus viper
waffle walrus wanderer waterfall willow windmill wombat yogurt zephyr zigzag zinc dishwasher refrigerator toaster
accessible administration administrator application authentication authorization certificate confidential decode decrypt
deployment encoding expires generator hardcoded hexadecimal ignored integration issuer keychain manual mock
nobody nonce opaque override payload permission permissions phrase plaintext rotated secured setting
settings signature signed somebody storefront symmetric tester thirtytwo unguessable unset unsigned verification
verifier writable
consulting contoso dynamics fabrikam foods globex gmbh holdings hooli inc industries initech labs llc logistics ltd
northwind pied piper retail sirius solutions stark systems technologies trader traders ventures wayne west wonka yoyodyne
eu us uk asia emea frontend backend monolith
)";

void add(std::string_view list, Word::Rank rank, std::vector<Word>& words) {
  constexpr std::string_view kSpace = " \n";
  for (;;) {
    list.remove_prefix(std::min(list.find_first_not_of(kSpace), list.size()));
    if (list.empty()) return;
    const std::string_view word = list.substr(0, list.find_first_of(kSpace));
    words.push_back({word, rank});
    list.remove_prefix(word.size());
  }
}

std::vector<Word> make_dictionary() {
  std::vector<Word> words;
  add(kNaming, Word::Rank::naming, words);
  add(kFrequent, Word::Rank::frequent, words);
  add(kOrdinary, Word::Rank::ordinary, words);
  // A word in two lists keeps the lower rank.
  std::stable_sort(words.begin(), words.end(), [](const Word& a, const Word& b) { return a.text < b.text; });
  const auto same_text = [](const Word& a, const Word& b) { return a.text == b.text; };
  words.erase(std::unique(words.begin(), words.end(), same_text), words.end());
  words.shrink_to_fit();
  return words;
}

}  // namespace

const std::vector<Word>& dictionary() {
  static const std::vector<Word> words = make_dictionary();
  return words;
}

}  // namespace holdshort
