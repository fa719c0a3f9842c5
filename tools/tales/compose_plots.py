"""Plots for compose.py: play, toys, friends.

Notation, one plot after each line that starts with #:
  hero child|animal|any     who the story is about
  @x y = 1 ; 2 | 3 ; 4      draw one row for the slots x and y, once per story
  = or -                    a beat, in a new paragraph or in the same; with ? it is told half of the time
  a line                    one way to tell the beat; / breaks the paragraph; in the first beat + puts an opening before it
  {x} {X}                   a slot, as it is or with a capital; [this|that] draws again each time
The cast: {a} hero, {b} friend, {p} parent, {g} grandparent; {he} {him} {his} {himself} for the hero, {bhe} {phe} {ghe} for the
others; {pcall} and {gcall} are what the hero calls them.
"""
TEXT = """
# lost toy
@toy = [red|blue|green|yellow|big red] ball | [toy|red toy|blue toy] car | [soft|brown|little] teddy bear | [toy|little toy] boat | [yellow|little|rubber] duck | [soft|little|pink] toy rabbit | [blue|red|warm] hat | [little|red|wooden] train
@spot how = under the bed ; It was very dark down there, but {he} could see something in the corner | behind the sofa ; Something was stuck there, right by the wall | in the laundry basket ; Under the shirts and socks there was a bump | under the big tree ; The long grass there hid it well | in the [tall|long] grass ; A bit of it was peeking out | in the kitchen cupboard ; There, next to the pots and pans, it sat | under a pile of leaves ; The leaves [moved|fell away] and there it was
=
+{He} had a {toy}. {He} [took it everywhere|loved it more than any other toy|played with it every day|even slept next to it].
+{He} loved {his} {toy} very much. {P} had given it to {him} [on {his} birthday|when {he} was very small].
+Of all the things {he} had, {he} liked {his} {toy} best.
{a} had a {toy}. It was {his} [favorite|best] toy, and {he} took it [everywhere|to the park, to the table, and even to bed].
{a} loved {his} {toy}. Every day {he} played with it [in the house|in the yard] until it was time for dinner.
The {toy} belonged to a little {kind} named {a}. It was a bit old, but {a} loved it.
=
{day} {a} wanted to play, but {his} {toy} was not there. "Where [is it|can it be|did it go]?" {he} [asked|said].
{day} {he} woke up and the {toy} was gone! {He} [looked all around the room|looked left and right], but {he} could not see it.
But one day, the {toy} was gone. {a} {cry}.
{day} {a} looked on the shelf. No {toy}! {He} looked on the chair. No {toy} there!
Then, one [rainy|windy|quiet] day, something sad happened. The {toy} got lost.
=
{He} ran to {p}. "{pcall}, I can't find my {toy}!" / "Don't worry," said {p}. "[Let's look for it together|We will find it|Let's think]. Where did you play with it last?"
"Please help me, {pcall}," {he} said. "My {toy} is lost." / {P} {hug}. "Things that are lost want to be found," {phe} said. "Let's look together."
{P} saw {his} sad face. "What is wrong, {a}?" / "I lost my {toy}," {he} said. / "Then we must look for it," said {p}, and took {his} {hand}.
{His} friend {b} came to the door. "I will help you look," said {b}. "[Four eyes are better than two|It is more fun with two]!"
{A} told {his} friend {b}. "I know how to look for things," {b} said. "We go slowly, and we look in every place."
=
They looked [on the table and under the rug|in the box and behind the door|in every room]. They looked in the [garden|yard] too. It was not there. / Then {a} [had an idea|stopped and thought hard]. "I know one more place!" {he} said.
First they looked behind the curtain. They found [a sock|an old spoon|a lost button], but no {toy}. Next they looked in the big box. It was empty. / "Let's not give up," {a} said [in a small voice|bravely].
They walked from room to room. They [moved the chairs|looked under every pillow|opened every drawer]. They looked for a long time. {A} [was getting tired|almost gave up|wanted to sit down and cry], but {he} kept looking.
{A} closed {his} eyes and thought about the day before. "I was playing, and then it was time to eat," {he} said slowly. "And then..." [All at once|Suddenly] {he} remembered!
-
{He} looked {spot}. {how}. It was the {toy}!
So {he} went and looked {spot}. {how}. "[I found it|Here it is|There you are]!" {he} [cried|shouted].
There was one place left. {A} looked {spot}. {how}. "My {toy}!" {he} shouted.
=
{A} {cheer}. {He} hugged the {toy} and [would not let go|held it tight]. "[Thank you for helping me|Thank you]!" {he} said.
{A} was {glad}. "I will [take better care of you|always put you away now]," {he} told the {toy}.
"[I am so glad|I am so happy]," said {a}. "I missed it so much." They all laughed and {a} played [until dark|all day long].
{A} held the {toy} close to {his} heart. {He} was not sad [anymore|any more].
-
From that day on, {he} put the {toy} [back on the shelf|in its box|next to {his} bed] every night, so that it would never get lost again.
That night, {a} put the {toy} on {his} pillow. "Good night," {he} whispered, and soon {he} was fast asleep.
{He} learned that if you [keep looking|do not give up|look carefully], you can find what you have lost.
And after that, {a} always knew where {his} {toy} was.
# sharing
hero child
@toy play turns = swing ; swing high up in the air ; One of them sat on the swing and the other gave a push | [red|blue|big] bike ; ride around the yard ; One of them rode to the gate and back, and then it was the other's turn | [big|blue|new] truck ; fill it with sand and drive it ; One of them filled the truck and the other drove it | [big|red|bouncy] ball ; kick it over the grass ; One of them kicked the ball and the other ran to catch it | box of [crayons|paints] ; make big pictures ; One of them made the sky and the other made the grass | set of blocks ; build tall towers ; One of them made the wall and the other put on the roof
=
+{He} had a {toy}. {He} liked to {play}.
+{His} {toy} was new, and {he} was [very proud of it|so happy with it].
{a} had a {toy}. {He} thought it was the best {toy} in the whole [world|town].
{a} and {b} were [best friends|good friends|neighbors]. {a} had a {toy}, and {he} loved to {play}.
{a} got a {toy} from {p}. {He} played with it from morning to night.
=
{day} {b} came to play. {Bhe} saw the {toy} and {bhis} eyes [grew big|lit up]. "[Can I try it|May I play too|Can I have a turn], please?" {b} asked.
{day} a {bboy} named {b} came to {his} house. "I like your {toy}," {b} said. "Can I play with it?"
Then {b}, who lived next door, came over. {b} did not have a {toy}. "Can we play together?" {bhe} asked.
{day} {b} came by and watched {him} for a while. At last {bhe} asked, "Is it my turn now?"
-
"No! It is mine," said {a}, and {he} [turned away|held it tight|would not look at {b}].
But {a} did not want to share. "No," {he} said. "[You will break it|It is my {toy}|I am not done]."
{A} shook {his} head. "Go away. I want it all for myself," {he} said.
"Mine!" {a} shouted. {He} did not want [anyone else to touch it|to give {b} a turn].
=
{B} was {sad}. {Bhe} sat down under a tree and [looked at the ground|said nothing|picked at the grass].
{B} looked down. "Okay," {bhe} said [softly|in a small voice], and {bhe} walked away.
A tear ran down {b}'s face. {Bhe} went and sat on the step [all alone|by {bhimself}].
-
{A} played alone. But it was [not so much fun|strange]. Nobody laughed with {him}. Nobody said, "Look at that!"
{A} went on playing. After a while {he} felt [bored|lonely]. {He} looked at {b} and {his} heart felt heavy.
Now {a} had the {toy} all to {himself}. But somehow {he} was not happy at all.
=
{P} saw what had happened. "How would you feel if [{b} did not share with you|you were {b}]?" {phe} asked. / {A} thought about it. "I would feel sad," {he} said.
"{a}," said {p} [softly|kindly], "a toy is nice, but a friend is [better|much better]. Do you know why?" / {A} thought for a moment. "Because a toy can't laugh with me," {he} said.
{P} sat down next to {him}. "When you share, the fun gets bigger, not smaller," {phe} said. "[Try it and see|Will you try]?" / {A} nodded.
{A} remembered the day when {b} had [given {him} half of a cookie|helped {him} up when {he} fell|let {him} hold {bhis} kitten]. "{b} was kind to me," {he} thought. "And I was not kind at all."
=
So {he} went to {b}. "I am sorry," {a} said. "[Let's play together|You can have a turn now|Come and play with me]." / {b} [smiled|wiped {bhis} eyes and smiled|jumped up]. "[Thank you|Really? Thank you]!" {bhe} said.
{A} ran over to {b}. "I'm sorry I was mean. Do you want to go first?" {he} asked. / "Yes, please!" said {b}.
{A} took {b} by the hand. "Come on," {he} said. "It is your turn. I want to share." / {b}'s face [lit up|was bright again].
-
{turns}. They laughed [so hard that they fell over|and laughed] and played until [it got dark|the sun went down|dinner].
They took turns all [afternoon|day long]. {turns}. It was much more fun than playing alone.
{turns}. Then they [changed places|did it all again]. They [had so much fun|could not stop laughing].
=
After that, {a} and {b} shared [all their toys|everything], and they were [best friends|friends for a long, long time].
{A} learned that sharing makes [everything more fun|two people happy and not just one].
"Sharing is [fun|nice|easy]," said {a} that night. {P} smiled and kissed {him} good night.
From then on, when {a} had something [good|nice], {he} always asked, "Who wants a turn?"
# broken toy
hero child
@toy part fixed = toy car ; a wheel fell off ; The wheel went round and round again | toy train ; one of the wheels came off ; The train rolled over the floor just like before | little wooden horse ; one leg broke off ; The horse could stand on its own four legs again | kite ; the stick inside it broke ; The kite was ready to fly again | toy boat ; the little mast snapped ; The mast stood up straight again | music box ; the lid came off ; The music box played its sweet song again | toy robot ; its arm fell off ; The robot could wave its arm again
=
+{His} best toy was a {toy}. {G} had made it a long time ago.
+{He} had a {toy}, and {he} played with it every day [after lunch|after school|before bed].
{a} had a {toy}. It was a gift from {g}, and {he} was very careful with it.
{a} loved to play with {his} {toy}. [One of the best things about it was that|The best thing was that] {g} had painted it.
=
{day} {a} was playing [with it on the stairs|in the kitchen|near the door]. {He} was running too fast, and {he} tripped. Crash! The {toy} hit the floor and {part}.
{day} {b} came to play. They both [pulled at|wanted] the {toy} at the same time. Snap! It fell down, and {part}.
{day} the cat jumped on the shelf. Down came the {toy} with a loud bang, and {part}.
Then one day {he} dropped it [by mistake|from the table]. There was a [loud crack|bad sound], and {part}.
-
"{ohno}!" {he} cried. "My {toy} is broken!"
{A} {cry}. {He} picked up the pieces and held them in {his} hands.
{A} looked at it and did not know what to do. [Big tears rolled down {his} face|{He} felt very sad].
=
{He} tried to [put it back together|fix it] with tape. But the tape did not stick. {He} tried string, but that did not [work|help] either.
First {he} tried to fix it {himself}. {He} pushed and pushed, but it [fell apart again|would not stay].
"Maybe we should throw it away," said {b}. / "No!" said {a}. "I will not throw it away. I will find [a way|someone who can help]."
{A} hid the {toy} under {his} bed, because {he} did not want anyone to see it. But all day long {he} [could not think of anything else|felt bad].
=
At last {he} took it to {g}. "Can you help me, {gcall}?" {he} asked. / {G} put on {ghis} glasses and looked at it. "[I think we can|Yes, I think so]," {ghe} said. "But you must be my helper."
{G} saw {his} sad face. "Show me," {ghe} said. {Ghe} turned the {toy} around in {ghis} hands. "It is only a little broken. Will you hold it still while I fix it?"
{A} went to {g} and told {ghim} everything. / "Broken things can be mended," said {g}. "[Get me the glue, please|We need some glue and some time]."
-
They sat down at the table. {G} put on a drop of glue, and {a} held the pieces together and counted to one hundred. [It was hard to wait|It took a long time], but {he} did not let go.
{A} held the pieces and {g} put on the glue. "Now we must wait [until it is dry|for one night]," said {g}. {A} [waited and waited|sat and looked at it the whole time].
{G} had a box with glue and [small nails|string|tiny screws]. {A} gave {ghim} each thing when {ghe} asked for it. They worked [slowly|side by side] until it was done.
=
{fixed}! {A} {cheer}.
Then {g} said, "Now try it." {fixed}. "It works!" {a} shouted.
In the end, the {toy} was [whole|as good as new]. {fixed}. "[You did it|We did it]!" said {a}.
-
You could still see a thin line where it had been broken. "I like the line," {a} said. "It shows that [you helped me|we fixed it together]."
"Thank you, {gcall}," {he} said, and {he} gave {ghim} the biggest hug. "Next time I will [be more careful|not run so fast]."
{A} learned that when something breaks, you do not have to [be sad for long|throw it away]. You can ask for help and mend it.
From that day on, {a} helped {g} fix all kinds of things, [like chairs and cups|like clocks and toys], and {he} was very good at it.
# new friend
@place game = park ; on the slide | pond ; by the water | big field ; in the tall grass | playground ; in the sand | [old oak tree|big tree] ; up and down the hill
=
+{He} had just moved to a new town, and {he} did not know anyone there.
+{He} [wanted a friend|wished for a friend] more than anything.
+{He} was often alone, because [no one lived close to {his} home|{he} was too shy to talk to others].
{a} was new in town. {He} [missed {his} old home|had no friends there yet].
{a} sat by the window and looked out. "I wish I had [a friend|someone to play with]," {he} [said|thought].
=
{day} {p} said, "[Go and play outside|Why don't you go outside]. The sun is shining." So {a} went to the {place}.
{day} {a} went to the {place}. The sun was warm, and the birds were singing.
{day} {he} [walked|went] to the {place} all alone. {He} sat down and [watched the clouds|looked at {his} feet].
-
A {bkind} was there too. The {bkind} had [a big smile|a funny hat|kind eyes], but nobody was with {bhim}.
Not far away {he} saw a {bkind} named {b}. {B} was [drawing in the dirt with a stick|throwing leaves in the air|singing a little song].
Then {he} heard [a funny sound|someone laughing]. It was a {bkind} named {b}, who was [hopping on one foot|rolling down the hill|trying to catch {bhis} shadow].
=
{A} wanted to say hello, but {he} was afraid. "What if [{bhe} does not like me|{bhe} says no]?" {he} thought. {He} [hid behind a tree|took one step and stopped].
{A} opened {his} mouth, but no words came out. {He} [turned red|felt too shy]. {His} heart went thump, thump, thump.
"I should say something," thought {a}. {He} took one step. Then {he} took a step back. [It was hard to be brave|It was not easy].
=?
{He} remembered what {p} always said. "[A smile is a good way to start|If you want a friend, be a friend]."
Just then, the wind took {his} hat and blew it right to the {bkind}'s feet. {A} had to go and get it!
Then {a} saw that the {bkind} looked a little lonely too.
=
At last {a} [took a deep breath|was brave]. "Hello," {he} said. "My name is {a}. Do you want to play?" / The {bkind} [looked up|smiled]. "[Yes|Oh yes], I do! I am {b}. I was hoping [you would ask|someone would come]."
{A} walked over and held out {his} [{hand}|snack]. "Hi, I'm {a}," {he} said [softly|in a small voice]. "Can I play with you?" / "Of course!" said the {bkind}. "I'm {b}. [It is more fun with two|Come on]!"
So {a} smiled and waved. The {bkind} waved back and came closer. / "I am {b}," {bhe} said. "I am new here too. [Will you be my friend|Shall we play together]?" / "Yes!" said {a}.
-
They played {game} all [afternoon|day]. They [told each other jokes|made up silly songs] and [shared an apple|ran and laughed].
First they played tag, and then they played {game}. {B} showed {him} [how to whistle|how to find round stones], and {a} showed {bhim} [a secret path|how to stand on one leg].
They played hide and seek, and they both laughed when {b} [sneezed behind the bush|hid behind a very thin tree].
=
When it was time to go home, {b} asked, "Will you come back tomorrow?" / "[Yes, I will|I promise]," said {a}. And {he} did.
That evening {a} told {p} all about it. "I have a friend," {he} said, and [{his} eyes were bright|{he} was {glad}].
{A} skipped all the way home. {He} was not lonely [anymore|any more].
-
After that, {a} and {b} met at the {place} every day.
{A} learned that saying hello can be a little scary, but it can also [make a new friend|start something wonderful].
From then on, when {he} saw someone alone, {a} always said hello first.
They stayed best friends for a long, long time.
# race
hero animal
@kind = turtle | mole | hedgehog | duck | pig | frog
@bkind = rabbit | hare | fox | deer | dog | cat
@goal = [big|old|tall] oak tree | top of the hill | [wooden|old] bridge | [blue|little] pond | end of the field
@trip = fell into a [deep|muddy] hole | got {bhis} foot stuck between two stones | rolled into a thorny bush | slipped in the mud
=
+{He} was [the slowest|one of the slowest] of all the animals, but {he} [never gave up|loved to run].
+{He} lived near a {bkind} named {b}, who was very fast and always said so.
In the forest there lived a {kind} named {a} and a {bkind} named {b}. [They both liked to run|They liked to play games].
There was going to be a big race in the forest. {a} the {kind} wanted to run in it, and so did {b} the {bkind}.
=
{day} {b} said, "[I am the fastest of all|No one is as fast as me]. Let's race to the {goal}!" / "[All right|Okay]," said {a}. "I will try my best."
{day} all the animals came to see a race to the {goal}. "You will never win," {b} said to {a}, and laughed. / {A} did not [get mad|mind]. "I just want to try," {he} said.
"Who wants to race me to the {goal}?" {b} asked one [morning|day]. / "I do," said {a}. / {B} laughed and laughed. "You? But you are so [slow|small]!"
-
An old owl sat on a branch and called, "[One, two, three, go|Ready, set, go]!"
A bird sang, and that was the sign to start.
The wise old owl dropped a leaf. When the leaf touched the ground, the race began.
=
{B} ran as fast as the wind. Soon {a} could not see {bhim} any more. But {he} went on, step by step.
Off they went! {B} was [far ahead|in front] right away. {A} [was left behind|came after {bhim}] and told {himself}, "Keep going, keep going."
{B} raced away in a cloud of dust. {A} went slowly and [looked where {he} put {his} feet|kept {his} eyes on the path].
-
{B} looked back to laugh at {a}, and did not look at the path. {Bhe} {trip}. "Help!" {bhe} cried.
But {b} was too sure of winning. {Bhe} turned around to make a funny face, and then {bhe} {trip}. "Ow! [I am stuck|I can't get out]!" {bhe} shouted.
Then something happened. {B} did not watch where {bhe} was going and {trip}. {Bhe} [pulled and pulled|tried and tried], but {bhe} could not get out.
=
Soon {a} came by. {He} could see the {goal}. {He} could win! But {he} could also hear that {b} was [crying|scared]. {A} stopped. "A friend is more important than a race," {he} said.
When {a} came, {he} saw what had happened. "If I go on, I will win," {he} thought. "But {b} needs [me|help]."
{A} came up the path. "Please help me," said {b}. "I am sorry that I laughed at you." / "Of course I will help," said {a}.
-
{A} held out a long stick and pulled with all {his} might. Pop! {B} was free.
{He} took {b} by the {hand} and pulled. {He} pulled again. At last {b} came out, [dirty|muddy] but not hurt.
{He} [called|asked] two beetles and a mouse to help. They all pulled together, and {b} was free.
=
"Thank you," said {b}. "You are a real friend. Let's finish [together|side by side]." So they walked to the {goal} {hand} in {hand}, and everyone [cheered|clapped].
{B} looked at the {goal} and then at {a}. "You go first," {bhe} said. "You should win." And so the slow {kind} won the race, and {b} cheered the loudest.
They reached the {goal} at the same time. "[Two winners|You both win]!" the owl called, and all the animals [clapped|danced].
-
From that day on, {b} never laughed at anyone who was slow.
{A} and {b} became good friends, and they [ran together every morning|never had to race again].
The animals talked about it for a long time. They all said that being kind is better than being first.
That evening they shared a [big bowl of berries|sweet cake], and it tasted very good.
# kite in a tree
hero child
@kite = [red|blue|yellow|green] kite with a long tail | [new|big|pretty] kite | kite that looked like a [bird|fish|butterfly]
@helper tall = a tall man with a long ladder ; put the ladder against the tree and climbed up | a kind farmer with a long stick ; reached up with the stick and gave the string a little push | a big boy from the next street ; climbed from branch to branch like a monkey | a firefighter with a ladder ; climbed up the ladder in no time
=
+{He} had a {kite}. {He} and {p} had made it [together|out of paper and sticks].
+{He} loved windy days, because then {he} could fly {his} {kite}.
{a} had a {kite}. {He} waited and waited for the wind to blow.
{a} and {b} were flying a {kite}. {a} held the string, and {b} ran along and laughed.
=
{day} the wind was just right. {A} ran to the [hill|field|park] and let go of the kite. Up, up, up it went! It danced in the sky.
One windy day, {he} took it to the [park|hill]. The kite flew [higher and higher|above the trees]. "Look, {pcall}! It is as high as the birds!" {a} called.
At last there was a good wind. {A} ran fast, and the kite went up [into the blue sky|like a bird]. It was a wonderful thing to see.
-
Then a big gust of wind came. It pulled the kite to one side, and the kite got stuck in the top of a [tall|big|very old] tree.
But all at once the wind turned. The kite went this way and that way and landed [high in a tree|in a tree]. It would not come down.
But then the string [slipped|snapped], and the kite sailed away. It came to rest in a [tall|big] tree, far above {his} head.
=
{A} pulled at the [string|low branches], but the kite did not move. {He} jumped, but the tree was too tall. "{ohno}," {he} said. "How can I get it down?"
"Come down, kite!" {a} shouted. {He} shook the tree, but only [leaves|a few leaves] fell on {his} head. {He} threw a soft ball at it, but {he} missed.
{A} wanted to climb up. "No, {a}," said {p}. "That tree is too high for you. [You could fall|It is not safe]." {A} {cry}.
{A} threw a stick at it. The stick got stuck in the tree too! Now {he} did not know if {he} should laugh or cry.
=
Just then, {helper} came by. "Is that your kite?" he asked. / "Yes," said {a}. "[Can you help us|It is stuck], please?"
{P} looked around and saw {helper}. "Let's ask for help," {phe} said. So {a} asked, "Please, sir, can you get my kite?"
Along came {helper}. He looked up and said, "That kite [likes the tree|wants to be a bird]! But I think I can get it for you."
-
The man smiled. He {tall}. Soon the kite was free.
He {tall}. The leaves shook. Then down came the kite, [slowly, slowly|like a big leaf]!
"Stand back," he said. Then he {tall}. A moment later, the kite was back in {a}'s hands.
=
"Thank you, thank you!" said {a}. The kite had a small [hole|tear], but {p} fixed it with some tape.
{A} {cheer}. "You are so kind," {he} said. "[Would you like to fly it too|Do you want a turn]?" And the man took the string and laughed like a child.
{A} was {glad}. {He} gave the man [a cookie from {his} bag|a big smile] and said thank you [two times|three times].
-
Then they went to the open field, far from any tree, and flew the kite until [the sun went down|it was time to go home].
After that, {a} always looked for a place with no trees. And the kite flew [high and free|up to the clouds].
{A} learned that it is good to ask for help when a thing is too hard to do alone.
That night {he} dreamed that {he} was flying over the trees with {his} kite.
# puddle
hero child
@coat = yellow boots | red boots | green boots | blue boots
=
+{He} had new {coat}. {He} wanted to wear them [every day|all the time].
+{He} did not like rain. When it rained, {he} had to [stay inside|sit by the window].
It was raining. {a} sat by the window and watched the drops [race down the glass|run down].
It had rained all night. In the morning {a} looked out and saw puddles [everywhere|all over the street].
Drip, drop, drip. {a} listened to the rain on the roof. [There was nothing to do|{He} was bored].
=
At last the rain stopped. "Can I go outside, {pcall}?" {a} asked. / "Yes," said {p}, "but put on your {coat}."
Then the sun came out from behind a cloud. {A} put on {his} {coat} and ran out of the door.
{P} looked at the sky. "The rain is over," {phe} said. "Put on your {coat}, and [we will take a walk|you can go out]."
=
In front of the house there was [the biggest puddle {he} had ever seen|a very big puddle]. {A} took a step. Splash! The water [flew up|went up in the air]. {He} laughed.
{A} found a small puddle and jumped. Splish! {He} found a bigger one and jumped. Splash! Then {he} found the biggest one of all.
There was a puddle by the gate. {A} looked into it. {He} could see the sky and {his} own face. "Hello, {a}!" {he} said, and jumped right into it.
-
But {b} was walking by, and the water went all over {bhis} [clean coat|new pants|dress shirt]. {B} [stood still|did not laugh]. {Bhe} looked as if {bhe} was going to cry.
Just then, {b} came around the corner. Splash! Now {b} was wet from head to toe. "Hey!" {bhe} shouted. "[Look what you did|I am all wet]!"
{He} did not see {b}, who stood [on the other side|right next to it]. Mud landed on {b}'s [nose|face] and on {bhis} clothes. {B} was [not happy|very upset].
=
{A} stopped. "I am so sorry," {he} said. "I did not [see you|look first]." {He} took out a [cloth|tissue] and helped {b} [wipe off the mud|get dry].
"Oh! I'm sorry, {b}," said {a}. "I only wanted to have fun. I did not want to make you wet." {He} felt bad.
{A} felt bad. {He} went to {b} and said, "I'm sorry. You can splash me too, if you want. Then we are even."
-
{B} looked at {a}. Then {bhe} looked at the puddle. Then {bhe} began to [laugh|giggle]. "Now that I am wet," {bhe} said, "I can jump too!"
For a moment {b} said nothing. Then {bhe} smiled. "[It is only water|Water dries]," {bhe} said. "Can I jump with you?"
{B} wiped {bhis} nose. "[It is okay|That is okay]," {bhe} said. "But next time, look first. Now move over. It's my turn!" And {bhe} jumped.
=
They held hands and jumped together. One, two, three, splash! They made the biggest splash [in the street|of the day].
They jumped in every puddle on the street. They made [boats out of leaves|mud cakes] and let them sail.
They jumped and jumped until there was almost no water left in the puddle. They were wet and muddy and very happy.
-
When they came home, {p} [laughed|shook {phis} head and smiled]. "Who are these two little mud monsters?" {phe} asked. Then {phe} gave them [warm towels and hot milk|a warm bath and some soup].
"I like rainy days now," said {a}. "[They make puddles|The rain brings the best toys]."
{P} put their wet socks by the fire and made them hot cocoa. From that day on, {a} always looked around before {he} jumped.
When the next rainy day came, {a} and {b} were [glad|ready]. They put on their boots and went out to play again.
# snowman
hero child
@nose = a carrot | an orange stick | a long red pepper
@hat = an old hat | a blue bucket | {phis} warm hat
=
+{He} had waited all [winter|week] for snow.
+{He} loved winter more than any other time of the year.
One cold morning, {a} looked out of the window. Everything was white. "Snow!" {he} shouted.
{a} and {b} were [very excited|so happy]. It had snowed all night, and the [yard|garden] was white and soft.
It was a cold winter day. The snow was deep, and {a} wanted to [go out and play|make something big].
=
One white winter morning, {he} put on {his} [warm coat|mittens] and [boots|scarf] and ran out. {B} came out too. "Let's make a snowman!" said {a}.
At last the snow lay deep, and {a} and {b} went out. Their boots went crunch, crunch, crunch. "We can make a snowman," {b} said, "[the biggest one on the street|as tall as {p}]!"
When it had snowed all night, {b} came to the door. "Can we build a snowman?" {bhe} asked. / "[Yes|Oh yes]!" said {a}. They put on their mittens and ran outside.
=
They rolled a big ball of snow, and then a smaller one, and then a little one for the head. It was hard work, and their [noses got red|cheeks got pink].
First they made a big ball. They pushed it and rolled it until it was too heavy to move. Then they made the [belly|middle] and the head.
{A} rolled the big ball and {b} rolled the small one. They [puffed and laughed|worked and worked]. At last the snowman stood [in the yard|by the gate].
-
For the eyes they used two black [stones|buttons], and for the arms they used sticks. But the snowman had no nose!
They gave it eyes made of [stones|nuts] and a smile made of [berries|little sticks]. "Something is missing," said {b}. "It needs a nose, and its head looks cold."
The snowman had eyes and arms, but it looked a bit sad. "[It can't smell anything|It has no nose]," said {a}, "and it has no hat."
=
{A} ran to {p}. "{pcall}, do we have a nose?" {he} asked. {P} laughed and gave {him} {nose} and {hat}.
{P} came out to look. "I know what it needs," {phe} said. {Phe} went in and came back with {nose} for the nose and {hat} for the head.
They looked in the [kitchen|house] and found {nose}. {P} gave them {hat}. Now the snowman had a nose, and its head was warm.
-
"Now [he looks happy|he is done]!" said {b}. "What should we call him?" / "[Mr. Snow|Frosty Joe|Snowy|Mr. Cold]," said {a}, and they both laughed.
They stepped back to see. "Hello, Mr. Snowman," said {a}, and it looked as if the snowman [smiled back|gave a little wink].
They danced around the snowman and sang [a winter song|until they were warm again].
=
But the next [day|morning], the sun was warm. The snowman got [smaller and smaller|thinner and thinner]. "{ohno}! He is going away," said {a} [sadly|with tears in {his} eyes].
A few days later, the snow began to melt. Drip, drip, drip. Soon there was only a hat in the wet grass. {A} was {sad}.
Then the warm days came. Each day there was less of the snowman. "Please don't go," said {a}.
-
"Don't be sad," said {p}. "He will turn into water, and the water will make the flowers grow. And next winter he will [come back|be here again]."
{P} put an arm around {him}. "Snow always comes back," {phe} said. "We will keep his hat, so that he can wear it next year."
"Look," said {b}. Where the snowman had stood, a little [white|yellow] flower was coming up. "[He left us a gift|He says goodbye]." And {a} smiled again.
-
{A} put the hat in a box and waited. And the next winter, [there he was again|they made an even bigger one]!
{A} drew a picture of the snowman and put it on the wall, so that {he} would always remember that [happy|cold and happy] day.
So {a} waved to the wet grass and said, "See you next winter!"
# boat
@boat sail = paper boat ; It was made of [white|blue|old] paper | little wooden boat ; It had a [white|red|blue] sail | [bark|nutshell|walnut] boat ; It had a leaf for a sail
=
+{He} loved to [play by the water|watch boats].
+{He} and {g} liked to make things with their {hands}.
{a} and {g} made a {boat}. {sail}. [It was small, but it was very pretty|They worked on it all morning].
{a} made a {boat}. {sail}. "[I will let it sail|It must go on the water]," {he} said.
=
{day} {a} took {his} {boat} to the stream. {He} put it on the water with care. The boat [rocked|turned around once] and then it began to sail.
{day} {he} made a {boat}. {sail}. {G} walked with {him} to the stream, and together they put it on the water.
{day} there was a soft wind. "[This is a good day for sailing|Let's see if it can sail]," said {g}. {A} put the {boat} on the stream and gave it a little push.
-
"Look, {gcall}! It is [sailing|going]!" {a} called. {He} ran along [the bank|next to it].
The boat went past the [reeds|tall grass], past a [sleepy frog|green frog], and past a duck with her babies. {A} walked along with it and waved.
"Goodbye, land!" {a} said, as if {he} was the captain.
=
But the water got faster and faster. The boat sailed away, and {a} could not [catch it|run that fast]. "Stop! Come back!" {he} cried.
Then the stream went around a bend, and the boat was gone. {A} looked and looked. [It was nowhere to be seen|{He} could not see it].
All at once, the boat hit a big stone. It turned on its side and got stuck in the middle of the stream, where {a} could not reach it.
=
{A} wanted to step into the water. "No," said {g}. "The water is too [deep|fast]. Let's [think first|use our heads]."
{A} sat down on the grass. "It's gone," {he} said [sadly|and {he} began to cry].
{A} found a long stick, but it was not long enough. {He} found [another|a longer] one, but it broke.
-
Just then a [mother duck|big white duck|little otter] came by. It swam to the boat, looked at it, and gave it a push with its nose. The boat began to move again, right to {a}'s side!
"Quack!" said a duck. It came swimming along the stream, and it pushed the {boat} in front of it, all the way to the bank.
Then they heard a laugh. {B}, a {bkind} who lived [near the bridge|down the stream], came walking up the path. "[Is this yours|Did you lose a boat]?" {bhe} asked, and held up the {boat}. "It sailed right to me!"
They walked down the stream as far as the bridge. There the water was slow, and there was the boat, [waiting between two stones|sitting in the grass], as if it had been waiting for them.
=
{A} {cheer}. "My boat came back!" {he} said.
"{yay}!" said {a}. "Thank you!" {He} picked up the boat. It was wet, but it was not broken.
{A} was {glad}. {He} dried the boat with {his} [sleeve|{hand}] and held it close.
-
{G} took a long string out of {ghis} pocket. "Now it can sail far," {ghe} said, "and it can always come home." They tied the string to the boat, and {a} [sailed it all day|never lost it again].
"Your boat has seen the world today," said {g}. "I wonder what it would tell us." All the way home, {a} made up stories about [its trip|the brave little boat].
From that day on, {a} only sailed {his} boat where the water was slow. And the duck often came to [say hello|swim next to it].
That night the boat stood next to {his} bed. In {his} dream, {a} was a captain and sailed [across the sea|to the moon].
# imaginary castle
hero child
@box = big box | very big brown box | pile of old boxes
@idea crew do = a ship ; captain ; sailed over the [wild|wide] sea and saw a whale | a castle ; {king} ; lived in a high tower with a [friendly|sleepy] dragon | a rocket ; pilot ; flew to the moon and jumped from star to star | a train ; driver ; rode through the mountains and said "toot, toot" at every tunnel
=
+{He} liked to [make things|make up games].
+{He} had a lot of toys, but {he} was tired of them all.
It was a rainy day. {a} and {b} [had nothing to do|did not know what to play].
{a} was bored. {He} had read all {his} books and played with all {his} toys.
=
{day} {p} came home with a new chair. It came in a {box}. "You can have the {box}," said {p}.
{day} {a} found a {box} next to the door. "Can I have this, {pcall}?" {he} asked. / "Yes, you can," said {p}.
Then {p} put a {box} on the floor. "What could this be?" {phe} asked, and smiled.
-
"It's just a box," said {b}. "[It does not do anything|You can't play with that]."
{B} looked at it. "It is only an old box," {bhe} said. "It is empty."
"A box is not a toy," {b} said.
=
But {a} [shook {his} head|had an idea]. "It is not just a box," {he} said. "Look again. It is {idea}!"
{A} walked around it once. {He} looked at it from the front and from the back. "If we close our eyes a little," {he} said, "it is {idea}."
"That is not true," said {a}. "It can be anything we want. Today it is {idea}, and I need a helper."
-
They got crayons and [paper|tape]. {A} drew the windows, and {b} made a [door|flag]. They worked and worked until it was ready.
They painted it [red and blue|with bright colors]. {P} cut a round window. {B} made a flag out of an old [sock|shirt].
{B} began to smile. {Bhe} ran to get a [blanket|pillow] and {bhis} [teddy bear|toy dog], because {idea} needs someone to live in it.
=
{A} was the {crew}, and {b} was the {crew} too, because they took turns. They {do}.
"I am the {crew}," said {a}. "Hold on tight!" They closed their eyes, and they {do}.
Then they climbed in. [They counted to three|One, two, three]! In their minds they {do}.
-
When they were hungry, {p} brought them [apples and bread|milk and cookies]. "Do you have room for one more?" {phe} asked. So {p} climbed in too.
Then the cat came in and sat down right in the middle. "[Now we have a tiger on board|Look, a lion]!" {b} laughed.
There was a storm, and the box shook, but they were very brave. They held hands and laughed.
=
At the end of the day, {b} said, "That was the best [day ever|toy I ever had]. And it was just a box!"
"I was wrong," said {b}. "A box can be the best toy of all."
When {b} had to go home, {bhe} asked, "What will it be tomorrow?" / "I don't know yet," said {a}. "[We will see|That is the best part]."
-
That night, {a} [fell asleep inside the box|slept in the box with {his} pillow], and {he} had the most wonderful dream.
{A} learned that you don't need many toys to have fun. You just need [a friend and an idea|to use your head].
And the old box stayed in the house for a long, long time.
# hide and seek
@spot2 = the big basket | behind the long curtain | the box under the stairs | a pile of blankets | behind the sofa
=
+{He} loved to play hide and seek with {his} friend {b}.
+{His} favorite game was hide and seek. {He} was [very good|the best] at it.
{a} and {b} were playing hide and seek. {a} [covered {his} eyes|closed {his} eyes] and counted.
{a} and {b} were [best friends|good friends]. They liked to play hide and seek [in the garden|on rainy days|after lunch].
=
{day} it was {a}'s turn to look. "One, two, three, four, five... ten! Here I come!" {he} called.
{day} {b} came to play. "You hide and I will find you," said {a}. {He} counted to ten, very slowly.
"I will hide so well that you will never find me," said {b}. / "We will see," said {a}, and {he} began to count.
=
{A} looked behind the door. No {b}. {He} looked under the bed. No {b} there. {He} looked in the closet, but there were only [coats|shoes].
{He} looked in the kitchen. {He} looked behind the big chair. {He} even looked in the [bath|soup pot]. But {b} was not there.
{A} walked around the house on the tips of {his} toes. {He} looked up and {he} looked down. Where could {b} be?
-
{He} looked for a long time. "{b}, where are you?" {he} called. It was very [quiet|still].
The house was quiet. {A} began to feel a little [worried|scared]. "What if {b} is lost?" {he} thought.
"[I give up|Come out], {b}!" {a} called. But no one came out. {A} did not like this game any more.
=
{He} asked {p}, "Have you seen {b}?" / {P} [put a finger to {phis} lips|smiled]. "Listen," {phe} said. "What do you hear?"
{He} ran to {p}. "I can't find {b} anywhere!" / "Let's be very quiet and listen," said {p}.
{P} said, "Sometimes your ears can see better than your eyes." So {a} stood still and listened.
-
{A} listened. There was a soft sound, like a [cat|little bear]. Snore, snore, snore. It came from {spot2}.
Then {he} heard it. Someone was [breathing slowly|snoring]! It came from {spot2}.
At first {he} heard only the [clock|wind]. Then {he} heard a tiny snore. It came from {spot2}.
=
{A} looked there, and {b} was asleep! {Bhe} had waited so long that {bhis} eyes had closed.
There lay {b}, curled up like a ball. {Bhe} had hidden so well that {bhe} fell asleep.
It was {b}! {Bhe} was fast asleep, with {bhis} [{hand} under {bhis} head|mouth open].
-
"Found you!" {a} [whispered|said softly]. {B} opened one eye. "[Did I win|Is it my turn now]?" {bhe} asked. They both laughed.
{A} touched {bhis} nose. {B} sat up and looked around. "Oh! I was dreaming that you could not find me," {bhe} said.
{A} was so glad that {he} hugged {bhim}. "I was afraid that you were gone," {he} said. / "I would never go without you," said {b}.
=
Then {p} gave them [warm milk|apples|cookies], and they played again. This time {a} hid, and {he} did not fall asleep.
From that day on, {b} always took a nap before they played hide and seek.
After that, it was {a}'s turn to hide. {B} found {him} very fast, because {a} could not stop [laughing|giggling].
"You are the best hider in the world," said {a}. "And you are the best finder," said {b}. And they were both right.
"""
