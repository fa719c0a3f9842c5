"""Plots for compose.py: animals, weather, the sea and the sky. The notation is told in compose_plots.py."""
TEXT = """
# bird with a hurt wing
hero child
@bird = little brown bird | small gray bird | tiny blue bird | baby bird
=
+{He} loved animals, and most of all {he} loved birds.
+Every morning {he} put out [seeds|bread] for the birds.
{a} was walking home with {p} when {he} heard a soft peep.
It was a windy day. {a} was [in the garden|under the trees], looking for [nuts|pretty leaves].
=
{day} {he} saw a {bird} in the grass. It tried to fly, but it could not. It fell down again and again.
There, under a bush, sat a {bird}. One of its wings was hanging down. "[Oh, you poor thing!|Are you hurt?]" said {a}.
{day} {a} found a {bird} on the ground. It looked at {him} with scared black eyes. Its wing was hurt.
-
{A} wanted to pick it up, but the bird was afraid. So {he} sat down and waited, very still. After a while, the bird came a little closer.
{A} took off {his} [hat|scarf] and put the bird in it, as softly as {he} could.
"Don't be scared," {a} whispered. "I will help you." {He} could see the bird's heart beating fast.
=
{He} ran to {p}. "{pcall}, the bird can't fly!" / {P} looked at it. "The wing needs rest," {phe} said. "We can make it a nest in a box."
{P} found a box and put [soft grass|an old towel] in it. They gave the bird water and some seeds.
They took the bird to the animal doctor. She put a tiny bandage on the wing. "Keep it warm and feed it well," she said.
-
Every day {a} gave the bird [seeds and water|berries and crumbs]. {He} talked to it and sang to it. Each day it was a little stronger.
At first the bird did not eat. But {a} did not give up. {He} held out a crumb again and again, and on the second day the bird took it.
{A} named it [Peep|Dot|Sky|Chirp]. {He} woke up early to feed it before breakfast, and it chirped when it saw {him}.
=
After two weeks, the bird began to flap its wings. "It wants to fly," said {p}. / {A} looked down. "But then it will go away," {he} said.
One morning, the bird hopped out of the box and sat on the window. It looked at the sky. {A} felt sad, because {he} knew what that meant.
Then came the day when the wing was well. {A} wanted to keep the bird. But the bird looked out of the window all the time.
-
"A bird needs the sky," said {p}. "If you love it, you must let it go." {A} nodded. {He} opened the window.
{A} thought about it all night. In the morning, {he} carried the box outside. "You are free," {he} said. "Be careful up there."
{He} took the bird out to the garden and opened {his} hands. For a moment it sat still. Then it flew, up and up and up.
=
The bird flew in a big circle over {his} head and sang. It was as if it said thank you.
{A} waved until the bird was only a dot in the blue sky. {He} was a bit sad and very happy, both at once.
"Goodbye, my friend," said {a}. {P} took {his} hand, and they stood there for a while.
-
The next spring, a bird sang outside {his} window every morning. {A} knew that voice. {He} smiled and put out some seeds.
But the bird did not forget {him}. It came back often and sat on {his} window, and once it brought a friend.
{A} learned that helping someone feels good, even when you have to say goodbye.
# storm
hero any
=
+{He} was brave in many ways, but {he} was afraid of thunder.
+{He} lived with {p} and a small dog named [Spot|Max|Bo].
It had been hot all day. {a} looked up. "The clouds are so dark," {he} said.
The sky turned black, and the wind began to howl. {a} closed the window.
=
One evening, a big storm came. The wind shook the trees, and the rain beat on the roof. Boom! went the thunder.
Then there was a flash of light. One, two, three... Boom! The whole house shook.
That night the storm came. Lightning lit up the room, and the thunder was so loud that the cups danced on the shelf.
-
{A} hid under the [table|blanket]. "Make it stop," {he} [cried|said].
{A} ran to {p} and held on tight. "I don't like it," {he} said.
{A} put {his} {hands} over {his} ears. {He} was shaking like a leaf.
=
Then the lights went out. It was very dark. "{pcall}?" said {a} in a small voice.
All at once the lamp went out, too. Now {he} could not see a thing.
"I know that it is loud," said {p}, "but it can't hurt us in here. The house is strong." Just then the lights went out.
-
{P} lit a candle and sat down on the floor. "Come here," {phe} said. "Let's count. When we see the light, we count until we hear the boom. If we can count more each time, the storm is going away."
"Do you know what thunder is?" {p} asked. "It is only the clouds bumping together. They are big and a bit silly." {A} had to smile at that.
{P} took two pots and two spoons. "If the sky can make noise, so can we," {phe} said. Each time the thunder said boom, they hit the pots. Bang, bang!
=
They did it together. After a while {a} was not so afraid. It was almost a game.
{A} tried it. First {his} voice shook. Then it got louder. Then {he} laughed!
"Again!" said {a}. {He} forgot to be scared, and {he} forgot the dark.
-
Then {he} heard something. Scratch, scratch. It came from the door. There was a wet little [cat|kitten] outside, and it was shaking. "You are afraid too," said {a}, and {he} let it in and dried it.
There was a knock. It was {b}, from next door. "Can I stay with you? I am scared," {bhe} said. "Come in," said {a}. "I will show you what to do."
{A} heard a small cry. Under the bed sat the cat, with her ears flat. "Don't be afraid," {he} told her. "It is only noise." And {he} stayed with her.
=
Bit by bit, the storm went away. The boom was far off now, and the rain was soft. {A} was asleep before it was over.
At last it was quiet. They opened the door. The air smelled fresh and clean, and the stars came out.
In the morning the sun was shining. There were leaves all over the yard, and a bright rainbow stood over the hill.
-
"You were very brave," said {p}. / "Yes," said {a}. "I think I was."
{He} learned that being brave does not mean that you are never afraid. It means that you [go on|help others] even when you are.
From then on, when {he} heard thunder, {a} got two spoons and a pot.
# garden
hero any
@seed grown = sunflower ; It was taller than {p} | pumpkin ; It was so big that {a} could not lift it | carrot ; It was long and orange and sweet | bean ; It had green leaves and little white flowers | strawberry ; It was red and sweet | tomato ; It was round and red and full of juice
=
+{He} wanted to grow something all by {himself}.
+{He} was never good at waiting. {He} wanted everything right away.
{a} got a tiny seed from {g}. It was so small that it almost got lost in {his} {hand}.
{g} had a big garden, and {a} liked to help {ghim} there.
=
In the spring, {g} gave {him} a {seed} seed. "Put it in the soil," said {g}, "and give it water and sun. And then you must wait."
{day} {a} made a small hole in the ground, put a {seed} seed in it, and covered it with soil. "Good night, little seed," {he} said.
"This is a {seed} seed," said {g}. "It looks like nothing, but there is a [surprise|plant] sleeping in it." {A} put it in the ground, right by the fence.
-
{A} sat down next to it and looked. Nothing happened. "Is it ready now?" {he} asked. {G} laughed. "Not yet."
The next morning, {he} ran out to look. There was only brown soil. {He} looked again at noon, and again before bed.
{He} watered it and waited. One day went by. Two days went by. Nothing!
=
After a week, {he} was [mad|tired of waiting]. "It is broken," {he} said. "I want to dig it up and see what it is doing." / "Please don't," said {g}. "It is busy under there, even if you can't see it."
"Maybe it forgot to grow," said {a}. {He} sang to the seed. {He} told it a joke. {He} even [shouted at it|told it a bedtime story].
"I give up," {a} said. / "Growing takes time," said {g}. "You did not get big in one day, did you?"
-
So {a} waited some more. It rained, and the sun came out, and it rained again.
{A} thought about that. {He} got {his} watering can and went on caring for the seed, every single day.
{He} tried to think of other things. {He} played with {b}, and {he} almost forgot the seed.
=
And then, one morning, there was a tiny bit of green! "Come and look!" {a} shouted. "It's here! It's here!"
Then one day {he} saw something. It was green and very small, like a [little hook|tiny thumb]. {A} fell on {his} knees and looked at it for a long time.
One day {b} called, "{a}, come fast!" A little green leaf was pushing up out of the ground.
-
It grew and grew, all summer long. When a snail came to eat it, {a} carried the snail [away|to the other side of the garden].
From then on it grew a little each day. {A} pulled out the weeds, and when it was hot {he} gave it an extra drink.
One night the wind almost broke it. But {a} tied it to a stick, and it stood up again.
=
At last, {his} {seed} was ready. {grown}. {A} {cheer}.
By the end of the summer there it was. {grown}. Everyone came to see it.
And what a {seed} it was! {grown}. "I grew that," said {a}, and {he} was so proud.
-
{A} kept one seed in a little box. "Next year I will do it again," {he} said. "I know how to wait now."
{He} learned that good things take time.
"You see," said {g}, "waiting is hard, but it is worth it." And {a} gave {ghim} a hug.
And that evening, {a} and {g} sat in the garden side by side and were very happy.
# sea
hero child
@shell = pink shell | round white shell | red starfish | shell with stripes
=
+{He} had never seen the sea.
+{He} was going to the beach with {his} mom and dad.
{a} and {b} were at the beach. The sand was warm and the water was blue.
{a} ran down to the sea with a [red bucket|little shovel] in {his} hand.
=
{day} they drove for a long time, and then {a} saw it. The sea! It was so big that it had no end.
The waves said "shh, shh." The sand was soft between {his} toes, and the air tasted of salt.
{a} took off {his} shoes and ran to the water. A wave came and tickled {his} feet. It was cold! {He} laughed and ran back.
-
{He} wanted to build a sand castle. {He} filled {his} bucket with wet sand and turned it over. Pat, pat, pat. A tower!
"Let's build a castle," {he} said. {He} made four towers, a wall, and a [deep moat|gate of sticks].
{He} began to dig. Soon there was a castle with a high wall and a flag made of [seaweed|a feather].
-
On the top {he} put a {shell}. It was the prettiest castle on the beach.
{He} looked for something pretty and found a {shell}. {He} put it on the highest tower.
{B} found a {shell}. "This is for the king," {bhe} said, and {bhe} put it over the gate.
=
But then a big wave came. Whoosh! It ran over the castle, and when it went away, there was only a heap of sand.
But the sea came closer and closer. One wave took the wall. The next one took the towers. "Stop!" {a} shouted at the sea. The sea did not stop.
They went to eat [a sandwich|some melon]. When they came back, the castle was gone. The water had washed it away.
-
{A} {cry}. "All that work," {he} said.
{A} was mad. {He} kicked the sand. "I hate the sea," {he} said.
{A} looked at the flat sand, and {his} lip began to shake.
=
{P} sat down on the sand next to {him}. "The sea was not mean," {phe} said. "It just wanted to play too. It always comes, and it always goes."
"Look," said {p}. "The sea took your castle, but it left you something." There on the sand lay three new shells.
"You still know how to build one," said {p}. "The sea can't take that away. Shall we make a bigger one, farther from the water?"
-
So they built a new one together. {P} dug, {a} made the towers, and {b} looked for shells.
{A} dried {his} tears. They chose a place higher up on the beach and started again. This one was even better.
Then {a} had an idea. "Let's make a castle for the sea!" {he} said. They built it right by the water, and when the wave came, they jumped up and cheered.
=
When the sun went down, the sky was [pink and gold|red like fire]. They were tired, and there was sand in their hair.
In the evening they packed up their things. {A} put one shell to {his} ear. "I can hear the waves," {he} said.
At the end of the day, {a} waved to the sea. "See you next time," {he} said. The waves said "shh."
-
{A} fell asleep in the car with a shell in {his} hand.
{He} learned that when something is washed away, you can build it again.
It was a day that {he} would never forget.
# moon
hero any
=
+{He} loved to look at the sky at night.
+{He} could not sleep. {He} looked out of the window and saw the moon.
{a} looked up at the round, bright moon. "I want to touch it," {he} said.
It was a clear night, and the moon was big and yellow. {a} sat by the window in {his} [pajamas|warm blanket].
=
"Can I have the moon, {pcall}?" {he} asked. / {P} laughed. "The moon is very far away," {phe} said. "Nobody can have it."
One night, {he} had an idea. "I will catch the moon," {he} told {p}, "and put it next to my bed." / "You can try," said {p} with a smile.
"I wish that I could hold the moon," {he} thought. "Then it would never be dark."
-
So {a} climbed on a chair. {He} reached up as high as {he} could. It was not high enough.
First {he} stood on the tips of {his} toes. Then {he} climbed on a [box|big stone]. But the moon was still too high.
{He} ran up the hill, because the hill was closer to the sky. At the top {he} jumped. The moon did not come down.
=
{B} saw {him}. "What are you doing?" {bhe} asked. / "I am trying to catch the moon," said {a}. / "I will help you," said {b}. "[Stand on my back|Let's throw a rope]!" But that did not work, either.
{He} threw a string into the air. It came down on {his} own head. {He} made a ladder of sticks, but it fell apart.
An owl flew by. "Please bring me the moon," said {a}. The owl blinked. "I have tried," he said. "It is always a bit farther than you think."
-
{A} was {sad}. {He} walked home with {his} head down. On the way there was a [pond|big puddle]. {He} stopped. There was the moon, right in the water!
Tired and sad, {he} sat down by the pond. And there it was. The moon was swimming in the water, round and bright.
At last {he} gave up. {He} was thirsty, and {p} filled a bowl with water. {A} looked into the bowl. There was a little moon in it!
=
{He} put {his} {hands} into the water to hold it. The moon broke into a hundred bits of light. "Oh no, I broke it!" {he} cried.
"I've got you!" {he} said, and {he} reached for it. But the water moved, and the moon danced away between {his} fingers.
{He} touched it with one finger. It shook and broke and ran away in little silver waves.
-
"Wait," said {p}. The water got still, and the moon came back, just as before. "The moon is not for holding," said {p}. "It is for looking."
{P} put an arm around {him}. "Be still," {phe} said. They waited, and slowly the moon was whole again. "You can't keep it," {phe} said, "but it comes to you every night."
But when {he} sat quite still, the moon came back. "I see," said {a}. "When I grab, it goes away. When I am quiet, it stays."
=
So {a} just looked at it. {He} looked until {his} eyes were full of light and sleep.
They sat there side by side and said nothing. It was the most beautiful thing that {a} had ever seen.
"It is enough," {a} said softly. "It shines for me, and for you, and for everyone."
-
{P} carried {him} home and put {him} to bed. The moon looked in at the window all night.
"Good night, moon," {he} whispered. And it seemed as if the moon smiled.
Ever since that night, {a} has said good night to the moon before going to sleep.
{He} learned that some of the best things can't be owned, but they can be shared.
# picnic ants
hero child
@food = sandwiches and grapes | bread and cheese and plums | little cakes and apples
=
+{He} liked to eat outside, under the trees.
+{He} and {his} family wanted to have a picnic.
It was a warm day, and {a} was helping {p} to pack a basket.
{a} and {b} were going on a picnic. {a} carried the basket and {b} carried the blanket.
=
{day} {p} said, "It is too nice to eat inside. Let's have a picnic!" They packed {food}.
They put {food} into the basket and walked to the meadow. They found a good place under a [big tree|tall pine].
{p} packed {food}. "May {b} come with us?" asked {a}. "Of course," said {p}. So they all walked to the lake.
-
They put the blanket on the grass and sat down. A bee hummed, and the grass smelled sweet.
First they played [catch|tag], and then they were very hungry. They ran back to the blanket.
They took off their shoes and lay in the sun for a while. "Now I am hungry," said {b}, and {bhe} opened the basket.
=
But someone was there already! A long row of ants was walking over the blanket, and each one carried a tiny crumb.
"Look!" said {b}. A big brown dog was standing there with his nose in the basket. When he saw them, he wagged his tail.
Then they heard a small sound in the basket. Munch, munch, munch. A little squirrel looked out. It had a crumb on its nose!
-
"Go away! That is our food!" {a} shouted. {He} waved {his} arms.
{A} was mad. "They are stealing our lunch," {he} said.
"{ohno}! Now there is not enough for us," said {a}.
=
"I think they are just hungry, like you," said {p}. "And we have more than we need."
"Wait," said {b}. "We are eating outside. Maybe this is their home, and we are the guests."
{P} laughed. "Well, I did say that we were having a picnic with friends," {phe} said.
-
{A} thought about it. Then {he} took a [crust|piece of bread] and put it on a stone, a few steps away. "This is for you," {he} said.
So {a} broke off a bit of {his} own lunch and put it in the grass. And really, the guest went there and left the rest alone.
{A} looked at the hungry guest, and {his} heart got soft. {He} gave away a part of {his} lunch.
=
They all ate together, the big ones and the small ones. It was the funniest picnic ever.
There was still enough for everyone. They ate and laughed, and for dessert they found [sweet berries|wild strawberries] under the trees.
Then they ate what was left, and it tasted better than any meal at home.
-
On the way home, {a} said, "Next time I will bring more bread. We have new friends to feed."
{He} learned that there is nearly always enough to share.
When the sun went down, they shook out the blanket and went home, happy and full.
# lost baby animal
hero child
@baby mother home2 = duckling ; a white duck ; the pond | lamb ; a big woolly sheep ; the green hill | kitten ; a gray cat ; the old barn | puppy ; a brown dog ; the farm | fawn ; a gentle deer ; the edge of the forest
=
+{He} liked to walk in the woods behind {his} house.
+{He} had a soft heart for every animal, big or small.
{a} was picking berries when {he} heard a small, sad sound.
{a} and {g} were walking along the path. [The birds were singing|The morning was cool and fresh].
=
{day} {a} saw a tiny {baby} on the path. It was all alone, and it was crying.
Something moved behind a tree. It was a {baby}! It was so small, and it [shook all over|looked very lost].
{day} {he} heard a sound in the bushes. {He} bent down and saw a little {baby}, who looked at {him} with big wet eyes.
-
"Where is your mother?" {a} asked. The {baby} made a sad little sound.
"Hello, little one," said {a}. "Are you lost?" The {baby} came closer and pushed its nose against {his} leg.
{A} sat down in the grass and held out {his} hand. The {baby} sniffed at it and then sat down in {his} lap.
=
{A} wanted to keep it. "You can sleep in my bed," {he} said, "and I will feed you every day." But the {baby} went on crying.
"Can we take it home?" {a} asked {g}. / {G} shook {ghis} head. "Somewhere its mother is looking for it," {ghe} said. "We must find her."
"You are so soft," {a} said. "I wish that I could keep you. But I think that you miss your mother." {He} knew what {he} had to do.
-
So {a} went to look for the mother. {He} asked a farmer, but the farmer had not seen her. {He} looked by the fence, and she was not there.
{A} carried the {baby} in {his} arms. {He} walked over the field and across the little bridge. {He} called and called, but no one came.
{A} looked for tracks in the mud. There were big ones and small ones. {He} followed them [past the well|around the big rocks].
=
Then the {baby} lifted its head. Far away, from {home2}, came a call. The {baby} called back!
At last {he} came to {home2}. There stood {mother}, looking left and right.
"Listen!" said {a}. Somebody was calling, over there by {home2}. {A} began to run.
-
It was the mother! The {baby} jumped out of {his} arms and ran to her as fast as its legs could go.
{A} put the {baby} down. It ran and tumbled and ran again, right to its mother. She licked it from head to tail.
When the mother saw her {baby}, she cried out with joy. They put their heads together and were very still.
=
{A} had a tear in {his} eye, but {he} was smiling. "Now you are home," {he} said.
The mother looked at {a} for a long time, as if she wanted to say thank you.
"Goodbye, little friend," said {a}. {He} waved until they were out of sight.
-
When {he} came home, {a} ran to {his} own mom and gave her a very big hug. "What was that for?" she asked. "Just because," said {a}.
{He} learned that the best way to love someone is to do what is good for them.
Sometimes, when {a} walked that way, {he} saw the {baby} again. Each time it was a little bigger.
# tiny hero
hero animal
@kind = mouse | mole | hedgehog | squirrel | kitten | bunny
@bkind = moose | deer | beaver | goat | pony
@big = a lion | a bear | an elephant | a horse | a wolf
@stuck = was caught in a net | had a thorn in his foot | had fallen into a deep pit
=
+{He} was the smallest of all {his} friends, and nobody thought that {he} could help.
+{He} was so small that {he} could sleep in a shoe.
Nobody in the forest was as small as {a}, a {kind} with a big heart.
"You are too small," the others always said to {a}, the little {kind}.
=
When the others [carried logs|built a dam|picked apples], they said, "Go away, {a}. You are too little." That made {him} feel sad.
"I want to help too," said {a}. / "What can you do?" the others said. "You can't even reach the [table|lowest branch]."
{day} {he} asked {b}, who was a big strong {bkind}, "Can I come with you?" / "No," said {b}. "You are too slow and too little."
-
So {a} walked in the woods all alone. Then {he} heard a loud cry.
{A} sat under a leaf and sighed. All of a sudden, the ground shook, and there was a roar.
{A} was thinking about that when somebody called, "Help! Help!"
=
It was {big}, who {stuck}. All the other animals were afraid and ran away.
{He} ran to see. There was {big}, who {stuck}. "Please help me," said the poor animal.
Behind the rocks {he} found {big}, who {stuck}. "Nobody dares to come near me," the big one said with a tear in his eye.
-
{A} was afraid too. {His} legs shook. But {he} thought, "If I don't help, who will?"
"I am only small," said {a}, "but I will try."
{He} took a deep breath. "Don't move," {he} said. "And please don't eat me."
=
{He} worked with {his} small teeth and {his} small paws. Big paws could not have done it. Bit by bit, it went better, and at last the big one was free.
{He} ran to get {b} and a long rope. {He} was so small that {he} could crawl in and tie the knot, and {b} pulled. One, two, three! It worked!
It took a long time, and {he} had to rest twice. But {he} did not stop until {his} big new friend could stand up again.
-
"Thank you," said the big one. "You are small, but your heart is bigger than mine."
"You saved me," the big one said. "From now on, I am your friend. If you need me, just call."
The big one bent down, until they were nose to nose. "I was wrong about little ones," he said.
=
When the others heard about it, they came to {a}. "We are sorry," they said. "You are the bravest of us all."
That night there was a feast in the forest. {A} sat in the very best seat, on top of the big one's head.
{B} told everyone what {a} had done. They all clapped, and {a} [turned pink|did not know where to look].
-
From that day on, nobody said "too little" to {him} again.
And {a} learned that you do not have to be big to do big things.
After that, when somebody was stuck, they always called for {a}.
# cross-patch bear
hero animal
@kind = mouse | mole | hedgehog | squirrel | bunny | duck
@bkind = fox | frog | pig | turtle | cat
@why = he had a bad toothache | he could not sleep at night | he had lost his glasses and could not see | his foot hurt | nobody ever came to see him
=
+{He} lived in the forest, not far from an old [bear|badger] who was always mad.
+{He} was friendly to all, even to the old bear who lived in the cave.
In the forest there was an old bear who shouted at everyone. Only {a}, a little {kind}, was not so sure that he was mean.
"Stay away from the old bear," {p} told {a}. "He is always mad."
=
When the animals sang, the bear shouted, "Be quiet!" When they played, he growled, "Go away!" So all of them ran when they saw him.
{day} {a} and {b} were playing near the cave. "Go away!" roared the bear, and {b} ran as fast as {bhe} could.
{day} {b} said, "The bear yelled at me. He is so mean. I will never go there again."
-
"I wonder why he is so mad," said {a}. / "Bears are just like that," said {b}.
But {a} thought about it. "Nobody is mad for no reason," {he} said.
{A} could not stop thinking about it. "Maybe something is wrong," {he} said to {p}.
=
So the next day, {he} took a pot of honey and went to the cave. {He} was scared, but {he} knocked on the stone.
The next morning, {he} picked some flowers and walked to the bear's cave, all alone. {His} knees were shaking.
{He} made some soup, put it in a jar, and carried it to the cave. "Hello?" {he} called. "It's only me, {a}."
-
"WHO IS THERE?" growled the bear. / "My name is {a}," {he} said. "I wanted to ask if you are all right." / It was quiet for a moment. Nobody had ever asked him that.
The bear came out. He was very big. "What do you want?" he said. / "I brought you something," said {a}. "And I want to know why you are so mad."
"Go away," said the bear. / "I will," said {a}, "but first I want to give you this." The bear looked at it. Then he looked at {a}.
=
Then the bear sat down, and his big head hung low. He said that {why}. "That is why I am so mad," he said. "I am sorry."
"Well," said the bear, and his voice was not so loud now, "it is because of this." And he told {him} that {why}.
A big tear ran down the bear's nose. He told {a} that {why}. "And when I feel bad, I shout," he said.
-
"Oh, you poor bear," said {a}. "We can help you with that. Wait here!" And {he} ran home to get {p}.
{A} put {his} little paw on the bear's big paw. "You should have told us," {he} said. "Now I will help you."
"I would be mad too," said {a}. {He} stayed with the bear all afternoon, and {he} asked {b} and the others to come and help.
=
Soon the bear felt better. And what a surprise! When he felt good, he was very funny, and he knew a lot of songs.
The animals all came and did what they could. After a few days, the bear was well, and he smiled for the first time in years.
It did not take long until the trouble was over. The bear laughed, and his laugh was so deep that the leaves shook.
-
From then on, the little ones rode on his back and slid down his belly, and nobody was afraid.
{A} learned that when somebody is mean, it can be because they are hurt.
"I was wrong about him," said {b}. "I am glad that you asked."
# tooth
hero child
=
+{He} had a loose tooth. {He} could move it with {his} tongue.
+All {his} friends had lost a tooth, but {he} had not.
{a} bit into an apple and stopped. One of {his} teeth was [moving|loose]!
Wiggle, wiggle. {a}'s tooth was loose.
=
{He} wiggled it in the morning and at noon and in the evening. But the tooth did not want to come out.
"When will it come out?" {he} asked. / "When it is ready," said {p}. "Do not pull at it."
{He} was a little afraid. "Will it hurt?" {he} asked {p}. / "Maybe a tiny bit," said {p}, "and then it is over."
-
{B} said, "You can tie it to the door with a string. Then you shut the door!" {A} did not like that idea at all.
{G} gave {him} [a hard cookie|an apple]. {A} took a big bite. The tooth did not fall out.
{A} ate a carrot, and some nuts, and a crust of bread. The tooth was still there.
=
{day} {he} was [laughing at a joke|running with {b}|singing in the bath], and then there was a hole. The tooth was gone! But where was it?
Then {he} sneezed. Achoo! Something small and white flew across the room.
Then, when {he} was not thinking of it at all, the tooth fell out, right into [the grass|the rug].
-
"My tooth! I can't find it!" {he} cried. "[I want to put it under my pillow|The tooth fairy will not come]!"
{A} looked on the floor. {He} looked in {his} pockets. It was so small that it could be anywhere.
{He} got down on {his} knees. {B} helped {him} look. They found [a bead|a bean] and a button, but no tooth.
=
{P} had an idea. "Write a letter to the tooth fairy," {phe} said. "Tell her what happened." So {a} wrote, with {p}'s help, "My tooth is lost, but it was a good tooth."
"Don't cry," said {p}. "We can draw the tooth on a piece of paper and put that under your pillow."
{B} sat down on the floor. "Ouch!" {bhe} said. "I sat on something hard." And what was it? The tooth!
-
That night {a} put it under {his} pillow. {He} wanted to stay awake and see the fairy, but soon {his} eyes closed.
{A} put it under {his} pillow very carefully. Then {he} lay down and tried to sleep. It was not easy.
When it was dark, {he} lay in bed and listened. Was that the sound of tiny wings? But {he} was too sleepy to look.
=
In the morning there was a shiny coin, and next to it a note. It said, "[What a fine tooth|Thank you], {a}. Brush the others well!"
When {he} woke up, {he} put {his} hand under the pillow. There was a coin! "{pcall}! She came! She came!" {he} shouted.
The next day, {he} found a [silver|bright] coin under {his} pillow. {He} {cheer}.
-
{He} looked in the mirror and smiled. There was a hole where the tooth had been. "I look big now," {he} said.
And a few weeks later, {he} felt something with {his} tongue. A new tooth was coming!
From then on, {a} brushed {his} teeth every morning and every night.
# magic wish
hero any
@wish trouble = to be as tall as a tree ; {He} could not get in at the door any more, and {he} could not sit on {his} chair | that it would be night all the time ; The flowers closed, the birds stopped singing, and nobody came out to play | that everything {he} touched would be sweet ; {His} soup was sweet, {his} water was sweet, and even {his} pillow was sticky | that it would never rain again ; The grass turned brown, the pond got dry, and all the ducks were sad | that nobody could tell {him} what to do ; Nobody called {him} for dinner, nobody read {him} a story, and nobody said good night
=
+{He} was often not happy with what {he} had.
+{He} always said, "I wish! I wish!"
{a} found a small gold bell in the grass. {He} picked it up and rang it.
{a} was sitting by the old well when {he} saw a tiny light.
=
{day} a little fairy was sitting on {his} window. "I can give you one wish," she said. "But think first."
All at once, a tiny fairy flew out in front of {him}. "Hello, {a}," she said. "You may have one wish. Choose well!"
Then there was a puff of blue smoke, and a fairy stood there. She was not bigger than a thumb. "Tell me your wish," she said.
-
{A} did not think for long. {He} wished {wish}.
"That is easy," said {a}. And {he} wished {wish}. / "Are you sure?" asked the fairy. / "Yes!" said {a}.
{A} jumped up and down. Without thinking, {he} wished {wish}.
=
The fairy shook her [wand|wings], and the wish came true. At first it was great fun. "{yay}!" said {a}.
Ping! And so it was. {A} laughed and danced. For one whole [morning|hour], it was wonderful.
"So be it," said the fairy. It worked right away! {A} ran to show {b}. "Oh my," said {b}.
-
But then it was not so nice. {trouble}.
But soon there was trouble. {trouble}.
But {he} had not thought of everything. {trouble}.
=
{A} sat down and {cry}. "I did not want that," {he} said.
"This is not fun at all," said {a}. {He} felt very lonely.
"I made a silly wish," {he} said to {b}. "What can I do now?" / "Call the fairy," said {b}.
-
{He} called the fairy. "Please," {he} said, "can you take it back? I want everything to be as it was before."
"Dear fairy, come back!" {he} called. The fairy came. "I thought you would call me," she said and smiled.
{He} called and called. When the night came, there was a tiny light. "So?" asked the fairy. "Are you happy with your wish?" {A} shook {his} head. "Please make it go away."
=
"If you can tell me three good things that you have without any wish," said the fairy, "I will do it." {A} thought. "I have {p}," {he} said. "I have {b}. And I have a warm bed." Ping! All was well again.
The fairy nodded. She clapped her hands, and everything was just like before. "Now you know," she said, and then she was gone.
"Good," said the fairy. "That was a wise wish." She waved her hand, and all was as it should be.
-
{A} ran home to {p} and gave {phim} a big hug. "I like things the way they are," {he} said.
After that, {a} did not say "I wish" so often. {He} said "thank you" much more.
{He} learned to think first, and to be glad about what {he} had.
# two want the same
hero child
@work a1 b1 = build a tree house ; a red roof ; a blue roof | paint the fence ; yellow ; green | make soup ; carrots ; beans | draw a big picture ; a castle ; a ship | build a tower ; a tall tower ; a wide tower
=
{a} and {b} were [best friends|neighbors], and they did everything together.
{a} and {b} were friends, but sometimes they [did not agree|had a fight].
Once upon a time there were two friends named {a} and {b}. They lived on the same street.
Once upon a time, there were two children named {a} and {b}. They [played together every day|were always together].
=
{day} they wanted to {work}. "I want {a1}," said {a}. "No, {b1}!" said {b}.
{day} they said, "Let's {work}!" They were very excited. But {a} wanted {a1}, and {b} wanted {b1}.
It was {b}'s idea to {work}. "With {b1}," {bhe} said. / "With {a1}," said {a}. "It is much better."
-
"{a1}!" said {a}. / "{b1}!" said {b}. They got louder and louder, until the [cat|dog] ran away.
"My way is better," said {a}. / "No, my way is," said {b}. They turned their backs to each other.
They both pulled, and they both pushed, and then everything fell down.
=
"Then I will do it alone," said {a}. / "Me too," said {b}. So they [sat in two corners|went home], and each of them worked alone.
"I will not play with you any more," said {b}, and {bhe} went home. {A} [stayed behind and kicked a stone|went home too].
They did not talk for a whole [day|afternoon].
-
But it was not the same. There was nobody to [hold the other end|laugh with], and everything took so long.
{A} tried, but {he} could not do it with only two hands. Not far away, {b} could not do it either.
{A} missed {b}. And {b} missed {a}, too. But neither of them wanted to say it first.
=
{G} saw {a}'s sad face. "Is it more important to be right," {ghe} asked, "or to have a friend?" {A} did not need to think for long.
{P} said, "When two people want two things, sometimes there is a third thing that is better than both." {A} thought about that.
That night {a} thought, "I don't care so much about {a1}. I care about {b}."
-
{He} went to {b}'s house. At the same moment, {b} came out of the door. "I'm sorry," they both said at once. And then they had to laugh.
"We can do it your way," said {a}. / "No, we can do it your way," said {b}. They looked at each other and began to laugh.
In the morning {he} ran to {b}. "Let's try both!" {he} said. "A little of yours and a little of mine." / "Yes!" said {b}. "Why didn't we think of that?"
=
So there was some of {a1} and some of {b1}, and it looked better than anything they had ever made.
They worked side by side. One half was the way {a} liked it, and the other half was the way {b} liked it. Together it was just right.
They mixed their ideas, and what came out was new and funny and good.
-
{P} came to look. "Whose idea was this?" {phe} asked. / "Ours," they said.
They learned that two ideas can be better than one.
And when they had a fight again, they always said, "Let's find the third way."
They were friends again, and that was the best thing of all.
# too proud to ask
hero animal
@kind = bear | pig | panda | fox | mole | badger
@job = carry a big pumpkin home | build a house of twigs | cross the wide river | get the apples from the top of the tree | push a big stone out of the path
=
+{He} never asked anyone for help. "I can do it by myself," {he} always said.
+{He} was strong, and {he} liked to do everything alone.
"I don't need help," said {a} the {kind}. {He} said it every day.
{a} was a {kind} who wanted to do everything {himself}.
=
{day} {he} wanted to {job}. {B} the {bkind} came by. "Shall I help you?" {bhe} asked. / "No, thank you," said {a}. "I can do it alone."
{day} {he} had to {job}. It was not easy. "Do you need help?" asked {b}, the {bkind} from next door. / "No!" said {a}.
It so happened that {he} wanted to {job}. "That is a lot of work for one," said {b}, a friendly {bkind}. / "Not for me," said {a}.
-
{He} tried it this way. {He} tried it that way. It did not work. {He} puffed and got very hot.
{He} worked all morning. {His} back hurt and {his} {hands} hurt, but {he} was no closer to the end.
{A} tried and tried. Once {he} almost made it. Then {he} slipped and landed on {his} back.
=
A frog looked up. "Two could do it," said the frog. / "Nobody asked you," said {a}.
{B} came by again with some water. "Are you sure that you don't need me?" {bhe} asked. {A} wanted to say yes, but {he} shook {his} head.
Dark clouds came up, and the wind blew. It was going to rain. {A} was tired and [almost cried|wanted to go home].
-
At last {he} had to sit down. "I can't do it," {he} said softly. It was the first time that {he} had ever said that.
"If I go on like this, I will be here until winter," {he} thought. {He} looked at {b}. It was hard to say the words.
{A} remembered that {b} had once asked {him} for help. "I was glad that {bhe} asked me," {he} thought. "Maybe {bhe} would be glad too."
=
"{b}," said {a}, "can you help me, please?" / "I thought you would never ask!" said {b} with a big smile.
So {he} went to {b}. "I do need help," {he} said, and {he} turned red. / "That's what friends are for," said {b}.
"Please help me," {he} said at last. And {b} did not laugh. {Bhe} just rolled up {bhis} sleeves.
-
Together they did it in no time. One pulled and one pushed. "Heave-ho!" they called.
They called the frog and the [mouse|rabbit] too. With so many paws, the hard work was like a game.
{B} had a good idea, and {a} was strong. Side by side they worked, and before the sun went down, it was done.
=
"That was easy," said {a}. "And it was fun!" / "Everything is easier with a friend," said {b}.
Then they sat down, shared some [nuts|berries], and looked at what they had done.
"Thank you," said {a}. "I was silly." / "You were just a little bit too proud," said {b}, and they laughed.
-
From that day on, {a} was not afraid to ask for help, and {he} gave help to others too.
{He} learned that it takes a strong heart to ask for help.
And the next time that {b} had something hard to do, {a} was the first one there.
# train or bus trip
hero child
@see = cows and sheep | a long bridge | a castle on a hill | a river with boats
=
+{He} had never been on a train.
+{He} loved trains more than anything.
{a} stood at the station and held {p}'s hand. A train was coming!
Choo, choo! {a} heard the train before {he} saw it.
=
{day} {he} and {p} took the train to see {g}. {A} got the seat by the window, and {he} held {his} [toy dog|teddy bear|stuffed bunny] on {his} lap.
They were going to visit {g}, who lived far away. {A} brought {his} best [teddy bear|stuffed bunny|toy dog], because the trip was long.
-
The train went faster and faster. Outside {he} saw {see}. "Look!" {a} told {his} toy. "Do you see that?"
Click-clack, click-clack, said the wheels. {A} saw {see}. {He} waved to the people, and some of them waved back.
=
A man came and looked at the tickets. Snip! He made a little hole in each one. "[Have a nice trip|Where are you going], young friend?" he asked.
They ate [sandwiches|apples] and counted the bridges. {A} got sleepy, and {his} eyes closed.
At every station, people got on and people got off. There was a lady with a [hen in a basket|very tall hat].
-
When the train stopped, they had to hurry. They got out, and the train went on. Then {a} looked at {his} hands. They were empty. {He} had left {his} toy on the train!
"We are here!" said {p}. They jumped out. The door closed and the train rolled away. "Wait!" cried {a}. "My toy is still on the seat!"
=
{A} {cry}. "It is all alone," {he} said. "It will be afraid."
Big tears ran down {his} face. "Now I will never see it again," {he} said.
-
{P} did not know what to do at first. Then {phe} went to a woman in a blue cap, who worked at the station. "We will call the next stop," said the woman.
"Let's ask for help," said {p}. A kind old man at the station picked up the phone. He talked and nodded. Then he smiled. "They will look for it," he said.
=
They waited on a bench. {G} came and waited with them. One train came. No toy. Another train came. No toy.
It got late. {A} held {g}'s hand and looked down the track. {He} hoped and hoped.
-
Then a third train came in. The driver looked out of the window, and what did he have in his arms? {A}'s toy! "Somebody rode in front with me," he said, "and he was a very good helper."
At last a train stopped, and the man with the tickets got off. "I think this belongs to you," he said. It was {a}'s toy, and it had a ticket of its own!
=
{A} held it tight. "You went on a trip all by yourself!" {he} said. "You are so brave."
"Thank you, thank you!" said {a}. {He} {cheer}, and everybody at the station smiled.
-
On the way home, {a} held {his} toy with both hands the whole time.
That night in bed, {a} asked {his} toy all about the trip. And {he} was sure that it told {him} everything.
{He} learned that there are kind people everywhere, if you ask for help.
# bubble bath
hero child
@swims = whale | duck | shark | frog | boat
=
+{He} did not like to take a bath.
+{He} loved mud. At the end of each day, {he} was dirty from head to toe.
"Bath time!" called {p}. / "No!" called {a}, and {he} hid behind the [sofa|curtain].
{a} was always covered in mud. There was mud on {his} nose, and there was mud in {his} hair.
=
{day} {a} played in the mud with {b}. They made mud pies. "Now you need a bath," said {p} when {he} came home.
"You must take a bath," said {p}. "You look like a little pig." / "I like to look like a pig," said {a}.
-
"Water is too wet," said {a}. "And the soap gets in my eyes." {He} ran up the stairs and left brown spots on every step.
{A} crossed {his} arms. "I will never, ever take a bath," {he} said.
=
{P} did not get mad. {Phe} filled the tub and put something in it. Soon there were bubbles, white and high like [snow|a cloud].
"That is a pity," said {p}. "Then the {swims} has to swim alone." / "What {swims}?" asked {a}, and {he} came a bit closer.
"All right," said {p}. "But {b} and the toy boats are waiting for their captain." / {A} peeked around the corner.
-
{A} looked into the tub. One big bubble flew up and sat on {his} nose. Pop! {He} giggled.
{A} put in one toe. It was warm. {He} put in one foot. That was not so bad. Then {he} put in the other one.
=
In no time {he} was in the water up to {his} chin. {He} made a beard of bubbles. "I am an old king!" {he} said.
Splash! {He} was in. {He} made a hat of foam, and a mountain, and an island for the [duck|boat].
-
The boat sailed around {his} knees. There was a storm, with high waves, and some of them landed on {p}!
{P} blew bubbles, and {a} caught them. They sang a song about a fish in a dish.
"Close your eyes," said {p}, and {phe} washed the mud out of {his} hair. It did not hurt at all.
=
After a while, {p} said, "Time to get out." / "No!" said {a}. "I want to stay here for ever!" {P} laughed and laughed.
The water got cool, and {his} fingers looked like raisins. "Look, {pcall}! I am old!" {he} said.
-
{P} wrapped {him} in a big soft towel. {A} was warm and clean, and {he} smelled like [flowers|apples].
Then {p} put {him} in clean pajamas and carried {him} to bed. "That was fun," said {a} in a sleepy voice. "Can I get dirty again tomorrow?"
-
"Good night, my clean little pig," said {p}.
From that day on, when {p} called, "Bath time," {a} was the first one in the tub.
{He} learned that you can't know if you like a thing until you try it.
# wet pet
hero child
@pet call = dog ; Max | dog ; Spot | cat ; Mimi | cat ; Tiger | bunny ; Snow
=
+{He} had a {pet} named {call}.
+{He} wanted a pet. Then, one day, {he} got a {pet} and named it {call}.
{a} had a {pet} named {call}. They were always together.
{call} was a {pet}. {call} lived with a little {kind} named {a}.
=
{day} {a} forgot to close the gate. When {he} came back, {call} was gone.
{day} there was a loud bang, and {call} got scared and ran away.
{day} {a} came home and called, "{call}!" But nobody came. The {pet} was gone.
-
{A} ran up and down the street. "{call}! {call}!" {he} called.
"{call} is lost!" {a} cried. {P} put on {phis} coat. "We will find your {pet}," {phe} said.
{He} looked under the porch and behind the shed. There was no {pet} to be seen.
=
They asked the man at the shop. He shook his head. They asked the woman with the [red|blue] bike. "I saw a {pet}," she said. "It ran to the park."
{A} and {b} drew a picture of {call}. Under it {p} wrote, "Have you seen our {pet}?" They put it on every tree.
{B} helped {him} look. They walked all the way to the [park|river] and called until their throats were sore.
-
It got dark, and it began to rain. {A} was so worried. "{call} must be cold and hungry," {he} said.
Night came. {A} did not want to eat. {He} sat at the window and looked out into the rain.
"We will go on in the morning," said {p}. But {a} could not sleep. {He} put {call}'s bowl by the door, just in case.
=
Then {he} heard a tiny sound. {He} ran to the door and opened it. There sat {call}, wet and muddy!
In the morning there was a knock on the door. It was an old lady. "I saw your picture," she said. She had a basket, and in it sat {call}!
Then {b} said, "Shh! I hear something." It came from an old shed. They opened the door, and out came {call}!
-
"{call}! You are back!" {a} shouted. {He} cried and laughed and held the {pet} in {his} arms.
{A} hugged the {pet} and did not care about the mud. "I missed you so much," {he} said.
{call} jumped right into {his} arms. {A} had never been so happy.
=
They dried {call} with a warm towel and gave the hungry {pet} a big dinner.
"Thank you for helping us," said {a}. {P} made hot cocoa for everyone.
-
That night, {call} slept at the foot of {his} bed.
From that day on, {a} always closed the gate, and then {he} looked again to be sure.
{A} learned that when you love someone, you must take good care of them.
# rainbow chase
hero any
=
+{He} loved bright colors.
+{He} had heard that there was a treasure at the end of the rainbow.
The rain had stopped, and there was a rainbow in the sky. {a} had never seen one so [big|bright].
"Look, a rainbow!" said {a}. It went from the hill all the way to the forest.
=
{day} after the rain, {he} and {b} saw a rainbow. "Let's find the end of it," said {a}. "There is a pot of gold!"
"Where does it end?" {he} asked {b}. / "I don't know," said {b}. "Let's go and see!"
-
They walked over the hill. But the rainbow was now behind the [mill|trees]. They walked to the [mill|trees], but the rainbow was behind the river.
They ran as fast as they could. But the rainbow was always a little bit farther away.
=
On the way they met an old [woman|man], who had dropped a bag of apples. They were in a hurry, but they stopped and picked up every one. "Thank you," was the answer. "Take two for the road."
They came to a little stream. A beetle had fallen in and could not get out. {A} held out a leaf, and the beetle climbed up.
A small lamb was caught in a fence. "We will lose time," said {b}. "But we can't just leave it," said {a}. So they set it free.
-
When they looked up, the rainbow was very thin. And then it was gone.
But then the sun went behind a cloud, and the colors faded away. The rainbow was gone.
=
"Now we will never find the gold," said {b}. They sat down on a log and were sad.
"All that way for nothing," said {a}. {His} feet hurt, and {he} was [tired|hungry].
-
But then they looked around. They had never been here before. It was a meadow full of flowers, red and orange and yellow and blue. All the colors of the rainbow were there!
Then {b} pointed. On a bush in front of them were berries, shining like gold in the evening sun. They tasted one. It was as sweet as honey.
=
"This is the end of the rainbow," said {a}. "We found it!" They danced around and laughed.
"Maybe this is the treasure," said {b}. / "Yes," said {a}. "And we found it because we did not give up."
-
They picked some for {p} and walked home. "Did you find gold?" asked {p}. / "Something better," they said.
On the way home, they held {hands} and sang. {A} thought, "A friend who goes with you is the best treasure."
-
And after every rain, they went out to look for the next one.
{He} learned that the way can be as good as the goal.
That night {he} dreamed in all the colors of the rainbow.
"""
