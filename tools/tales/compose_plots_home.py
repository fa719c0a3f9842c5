"""Plots for compose.py: home, family, town. The notation is told in compose_plots.py."""
TEXT = """
# baking
@cake wrong taste = cake ; salt ; It was the saltiest cake in the world | [batch of |plate of ]cookies ; salt ; They were as salty as the sea | [apple|berry] pie ; pepper ; It was as hot as fire | pot of jam ; salt ; It tasted like sea water
=
+{He} loved to help {p} in the kitchen.
+{He} liked sweet things, and most of all {he} liked to [bake|lick the spoon].
It was {g}'s birthday. {a} wanted to [make something nice|surprise {ghim}].
{a} woke up early. It was a special day, because {g} was coming to visit.
The kitchen smelled good. {a} put on {his} apron and washed {his} {hands}.
=
"Let's make a {cake} for {g}," {p} said [one morning|that day]. {A} {cheer}.
{day} {he} asked, "Can we make a {cake}?" / "[What a good idea|Yes, let's do it]," said {p}. "We can give it to {g}."
{A} wanted to make a {cake}, all by {himself}. "[I am big now|I know how]," {he} said. "You can sit down, {pcall}."
-
{He} got the flour and the [butter|eggs]. Flour flew up and made {his} nose white. {P} laughed.
{A} put in the flour, the butter and two eggs. {He} stirred and stirred until {his} arm was tired.
{P} read what to do, and {a} did it. First came the flour. Then came the [eggs|milk]. Then {he} mixed it all in a big bowl.
-
The last thing was the sugar. There were two white [jars|bowls] on the shelf, and {a} took the [first one|one on the left]. {He} did not know that it was {wrong}.
"Now the sugar," said {a}. {He} was in such a hurry that {he} took the wrong [jar|box]. It was {wrong}!
Then {a} needed sugar. The jars looked the same. {He} did not taste it first, and {he} put in a big cup of {wrong}.
=
When it was ready, it looked [so pretty|wonderful]. {G} came and took a bite. {Ghis} face turned [red|very odd]. "Oh my!" {ghe} said.
Soon the house smelled sweet. They all sat down at the table, and everyone took a bite. Nobody said a word. {taste}.
{G} came in and sat down. "This looks so good," {ghe} said. Then {ghe} tasted it. {Ghis} eyes got very big, and {ghe} drank a whole glass of water.
=
{A} took a bite too. "Yuck!" {he} cried. "I used {wrong}, not sugar! [I spoiled it|It is all bad now]." {He} {cry}.
{A} tasted it. {taste}. "I'm so sorry," {he} said. "I wanted to make something good for you."
"Is it not good?" {a} asked. Then {he} tried some. {taste}. {A} put {his} face in {his} {hands}.
-
But {g} began to laugh. {Ghe} laughed until tears came. "When I was little," {ghe} said, "I did [the very same thing|that too]!"
{G} {hug}. "Do not cry," {ghe} said. "You made it with love. [We can make a new one together|Everyone makes mistakes]."
{P} was not mad. "Everyone makes mistakes," {phe} said. "Now we know what to do. We taste it first."
=
So they washed the bowl and started again. This time, {a} tasted [the sugar|everything] first. "[It is sweet|This is the right one]," {he} said.
They made it all over again, all three of them. {G} held the bowl, {p} broke the eggs, and {a} put in the sugar, the real sugar.
"Let's try again," said {a}. {He} went slowly this time and looked at every jar.
-
This time it was warm and sweet and good. They ate it all up, [down to the last bit|and there was nothing left].
And it was the best thing they had ever eaten. {G} had two [pieces|helpings], and {a} had three.
When they tasted it, they all smiled. "[Now that is good|Perfect]!" said {g}.
-
From then on, {a} always [tasted first|looked twice before {he} put something in the bowl].
{A} learned that it is okay to make a mistake, if you try again.
And every year after that, they told the story and laughed about it.
# lie and truth
hero child
@thing did = [blue|white|flower] vase ; knocked over the vase with {his} ball | [big|green] cup ; dropped the cup on the floor | [nice|old] plate ; dropped the plate | [little|white] lamp ; hit the lamp with {his} pillow | window ; threw {his} ball, and it went right through the window
=
+{He} lived with {his} mom and dad and a [fat|sleepy|gray] cat.
+{He} was a good {kind}, but one day {he} did something wrong.
{a} was home with {g}. {G} was in the garden, and {a} was in the house.
{a} was not supposed to play in the living room. But it was raining, and {he} [forgot|did not think about it].
=
{day} {a} was playing inside. {He} jumped and ran, and then {he} {did}. Crash! The {thing} broke.
{A} was jumping up and down and having fun. Then {he} {did}. There was a loud crash. The {thing} broke into pieces.
{day} it happened, all in one moment. {A} {did}, and the {thing} broke.
-
{A} stood very still. {His} face got hot. "What will {p} say?" {he} thought.
{He} looked at the pieces. {He} was [scared|very scared]. {He} wanted to [hide|run away].
{A} [felt sick|went cold]. {He} knew that {p} loved that {thing}.
=
{P} came in. "What happened here?" {phe} asked. / {A} looked at the floor. "The cat did it," {he} said [softly|in a small voice].
{P} heard the noise and came in. "Oh! Who broke the {thing}?" {phe} asked. / "I don't know," said {a}. "[It was the wind|Maybe it was the cat]."
When {p} saw it, {phe} asked, "Do you know who did this?" / "It was the cat," said {a}, very fast.
-
"That bad cat," said {p}. {Phe} put the cat outside in the rain. The cat looked at {a} with sad eyes.
{P} looked at {him} for a long time. "I see," {phe} said, and {phe} picked up the pieces.
{P} said nothing more and got the broom. That was worse than if {phe} had been mad.
=
At dinner {a} could not eat. It felt as if there was a [stone|heavy stone] in {his} belly. The lie would not go away.
That night {a} could not sleep. {He} turned to the left and to the right. {He} kept thinking about [the lie|what {he} had said].
{A} went to {his} room. {He} tried to play, but {he} could not. All {he} could think of was the lie.
-
At last {he} got up and went to {p}. "I told a lie," {he} said, and {he} began to cry. "It was me. I broke the {thing}. I'm sorry."
In the end {he} could not stand it any more. {He} ran to {p} and said, "It was not true! I did it. I was [scared|afraid that you would be mad]."
"I have to be brave," {he} thought. {He} went to {p} and took {phis} hand. "I broke the {thing}," {he} said. "I am very sorry."
=
{P} {hug}. "I am sad about the {thing}," {phe} said, "but I am [proud of you|glad that you told me the truth]. That was brave."
"Thank you for telling me," said {p}. "A {thing} is just a thing. But I need to know that I can [trust you|believe what you say]."
{P} sat down next to {him}. "I knew," {phe} said softly. "I was waiting for you to tell me. [It is hard to tell the truth, but you did it|I am proud of you]."
-
{A} felt [so light|much better]. {He} dried {his} tears, and they cleaned up the last [bits|pieces] together.
Then {a} gave the cat [some milk|a bowl of milk] and said sorry to her too. The cat purred and sat on {his} lap.
The stone in {his} belly was gone. {He} went to bed and slept well.
{A} drew a nice picture for {p}, and {phe} put it on the wall.
-
{He} learned that the truth may be hard to say, but a lie is much harder to keep.
From that day on, {a} always told the truth, even when {he} was scared.
After that, {a} only played ball outside.
# dark bedtime
@thing what = a tall man with a big hat ; only {his} coat on the door | a monster with long arms ; only the tree outside the window | a bear in the corner ; only {his} teddy on the chair | a snake on the floor ; only {his} belt | a ghost by the window ; only the white curtain in the wind
=
+{He} was not afraid of [dogs or bees or high slides|many things]. But {he} was afraid of the dark.
+{He} liked the day, when everything was bright. {He} did not like the night.
It was time for bed. {a} put on {his} [pajamas|soft pajamas] and brushed {his} teeth, but {he} did not want to sleep.
{a} lay in {his} bed with {his} eyes wide open. The room was dark and [still|quiet].
=
One night, {he} lay in bed and looked around. In the dark {he} saw {thing}!
{P} read {him} a story and turned off the light. Then {a} saw something. It was {thing}!
The moon was behind a cloud that night. {A} heard a soft sound. {He} looked over the edge of the blanket. There was {thing}!
-
{His} heart beat fast. {He} pulled the blanket over {his} head and [did not move|held {his} breath].
"{pcall}!" {he} [called|cried]. "Please come, there is something in my room!"
{A} wanted to call out, but {his} voice was gone. {He} held {his} [pillow|teddy] very tight.
=
{P} came in and sat down on the bed. "What is it, {a}?" {phe} asked. / "There is {thing}," {he} whispered. "[Look over there|It is looking at me]."
The door opened and {p} came in. "I am here," {phe} said. "Tell me what you see." / "I see {thing}," said {a}.
{P} heard {him} and came. {Phe} did not laugh. {Phe} took {his} {hand} and said, "Let's look at it together."
-
{P} turned on the little lamp. It was {what}! / "Oh," said {a}. "[It looked so real|It was so big in the dark]."
Step by step, they went closer. {A} put out one finger and touched it. It was {what}.
"[Let's make some light|Watch this]," said {p}, and {phe} opened the curtain. The moon shone in. It was {what}.
=
"The dark is like a blanket," said {p}. "It covers things, but it does not change them."
"At night everything is the same as in the day," {p} said. "It is just [resting|asleep], like you should be."
"When I was little, I was afraid of the dark too," said {p}. "Then I learned to say good night to all the things in my room."
{P} gave {him} a small [light|lamp]. "When you are scared, turn it on and say hello," {phe} said.
-
So they said good night to the chair, and the books, and the [shoes|toys]. Each time {a} felt a little braver.
{A} thought about that. Then {he} asked {p} to turn off the light once more, and {he} looked around. {He} was not so scared now.
"Good night, door," said {a}. "Good night, window. Good night, moon." {P} smiled.
=
The next night, {a} saw the same shape again. But this time {he} laughed and said, "I know who you are!" Then {he} [closed {his} eyes|went to sleep].
{A} yawned. {His} eyes got heavy. Outside, the stars were shining, and soon {he} was fast asleep.
{P} kissed {him} good night. "You are very brave," {phe} said. But {a} did not hear it. {He} was already asleep.
-
From that night on, the dark was {his} friend.
{A} learned that things are not so scary when you look at them [with someone you love|up close].
And {he} slept well, all through the night.
# cold in bed
hero any
@sick sound = a cold ; {He} sneezed and sneezed | a bad cough ; {He} coughed all day | a sore throat ; {He} could only talk in a tiny voice | a high fever ; {His} head was as hot as an oven
@treat = a bowl of hot soup | tea with honey | warm milk with honey
=
+{He} loved to run and play outside all day. But one morning, {he} woke up and felt strange.
+{He} was never still. Then one day {he} woke up and did not even want to get up.
{a} woke up and [did not feel good|felt strange]. {His} nose was red and {his} head was hot.
{a} wanted to go to the [park|fair] with {b}. But that morning, {he} did not feel well.
=
It was {sick}. {sound}. "[Poor {a}|Poor you]," said {p}.
{P} put a {hand} on {his} head. "You have {sick}," {phe} said. "You must stay in bed today." {sound}.
"Oh dear, you have {sick}," said {p}. {sound}.
-
"But I want to go out and play!" said {a}. {He} looked out of the window. The sun was shining, and {he} [was sad|could hear the others laugh].
{A} did not want to stay in bed. When {p} was not looking, {he} got up. But {his} legs were so weak that {he} had to sit down.
"It is not fair," said {a}. "I will miss all the fun."
=
{P} brought {him} {treat}. "Drink this slowly," {phe} said. "It will help you."
The doctor came. She was kind, and she looked into {his} mouth. "Say ah," she said. "You need rest, and {treat}."
{P} made {treat} and sat next to {his} bed. {Phe} read {him} a story about a [brave lion|little fish|sleepy king].
-
"I don't like it," said {a}. But {he} tried a little, and it was good. {He} felt warm inside.
{A} took a small sip. Then {he} took another. Soon it was all gone.
{A} made a face. "Just try it," said {p}. {A} tried it and smiled. "It is [good|sweet]!" {he} said.
=
Later there was a tap at the window. It was {b}! {Bhe} held up a picture of a big [red flower|yellow sun]. "Get well soon!" it said.
In the afternoon, {b} came by. {Bhe} could not come in, so {bhe} made funny faces at the window. {A} laughed so much that {he} forgot to be sad.
Then a letter came from {b}. There was a drawing inside. It showed the two of them [on the swings|under a tree]. {A} put it next to {his} bed.
-
{A} slept for a long, long time. When {he} woke up, {his} head was cool.
After two days of rest, {a} sat up in bed. "I am hungry!" {he} said. {P} smiled, because that was a good sign.
{He} slept and drank and slept again. Each day {he} felt a bit better.
=
And then, one morning, {he} was well again. {He} ran outside, and {b} was there. They played all day long.
At last {p} said, "You can go out now." {A} put on {his} [hat|scarf] and went to see {b}. "I missed you," {he} said.
Soon {he} was strong again. {He} gave {p} a big hug and said, "Thank you for taking care of me."
-
When {b} got sick the next week, {a} knew what to do. {He} brought {bhim} {treat}.
{A} learned that rest is the best way to get well.
From that day on, {a} always [washed {his} {hands}|wore {his} scarf when it was cold].
# gift for parent
hero child
@gift how = necklace ; {He} put red and blue beads on a string, one by one | card ; {He} drew a big heart and made it red | picture frame ; {He} put shells and small stones all around it | bowl of clay ; {He} rolled the clay and made it round | paper crown ; {He} made it yellow and put stars on it
=
+{P}'s birthday was coming soon, and {he} wanted to give {phim} something [special|nice].
+{He} loved to make things for others. Soon it would be {p}'s birthday.
{a} had a secret. {P}'s birthday was the next day, and {he} needed a gift.
Tomorrow was {p}'s birthday. {a} looked into {his} money box, but there was only one [coin|small coin] in it.
=
{day} {he} went to the store with {g} to buy a gift for {p}'s birthday. There were [pretty cups|nice scarves] and [gold rings|shiny pins]. But everything cost too much.
{A} went to the store with {his} one coin. "I want a gift for {p}'s birthday," {he} said. The man shook his head. "I am sorry. One coin is not enough."
"What can I give {phim} for {phis} birthday?" {a} asked {g}. "I have no money to buy something big."
-
{A} was {sad}. {He} sat on the step and put {his} chin in {his} hands.
{A} walked home slowly. {He} kicked a little stone. {He} did not know what to do.
"Now I have nothing to give," {he} said, and {he} {cry}.
=
{G} said, "The best gifts don't come from a store. They come from [the heart|your own hands]."
Then {he} thought of something. "I can make a gift!" {he} said. "[I have two good hands|I don't need money for that]."
"What does {phe} like?" asked {g}. / {A} thought about it. "{Phe} likes things that I make," {he} said. And then {he} knew.
-
So {a} made a {gift}. {how}. It took all [afternoon|day].
{He} ran to {his} room and closed the door. {He} wanted to make a {gift}. {how}.
{He} got paper, glue and string. {He} would make a {gift}. {how}. {G} helped {him} a little, but only with the hard part.
-
When it was done, it was not perfect. It was a bit [crooked|bumpy], and there was glue on one side.
The first one broke. The next one was better. The third one was just right.
It was late when {he} was done. {He} hid the {gift} under {his} pillow and [could not wait|hardly slept].
=
The next day, {p} opened the [little box|paper]. {Phe} looked at the {gift} and said nothing. {A} held {his} breath. {P} had tears in {phis} eyes. "Do you not like it?" {a} asked.
In the morning, {a} gave it to {p}. "Happy birthday!" {he} said. "It is not from the store. I made it for you."
At the party, there were many big gifts with ribbons. {A}'s gift was the smallest one. {He} felt a little shy when {p} opened it.
-
"It is the [most beautiful|best] gift I ever got," said {p}, "because you made it." {Phe} gave {him} a long hug.
"I love it!" said {p}. "I will keep it for ever." And {phe} put it where everyone could see it.
{P} smiled the biggest smile. "These are happy tears," {phe} said. "I love it, and I love you."
=
{A} was {glad}. {He} knew now that a gift made with love is the best of all.
Then they ate cake and danced around the table. It was a lovely birthday.
And {p} kept the {gift} for many, many years.
# market
hero child
@seller way = a man with a big drum ; by the fountain | a woman with balloons ; near the flower stand | a man with a [green|talking] bird ; next to the fish stand | a baker with warm buns ; by the big clock
=
+{He} liked to go to the market with {p}.
+On Saturdays, {he} and {p} always went to the market.
{a} held {p}'s hand. It was market day, and there were people everywhere.
The market was loud and full of colors. {a} had never seen so many [things|people].
=
There were red apples, yellow [pears|lemons], and [fish that looked at {him} with round eyes|big green melons]. "Stay close to me," said {p}. "It is easy to get lost here."
{day} they went to buy [eggs and bread|apples and cheese]. "Hold my hand and don't let go," said {p}.
{P} bought [carrots and beans|eggs and milk] and put them in {phis} basket. "Do not run off, {a}," {phe} said.
-
Then {a} saw {seller}. {He} let go of {p}'s hand, just for a moment, and went to look.
But there was {seller}. It was so [interesting|nice] that {a} forgot everything. {He} stopped and looked and looked.
{A} wanted to be good. But then {he} saw {seller}. {He} just had to go and see.
=
When {he} turned around, {p} was not there. All {he} saw were [legs and bags|strange faces]. "{pcall}?" {he} said. "{pcall}!"
After a while, {he} looked up. "{pcall}, look at that," {he} said. But {he} was talking to a strange lady. {P} was gone!
Then {he} reached for {p}'s hand. It was not there. {A} looked this way and that way. {He} was lost.
-
{A} {cry}. {He} wanted to run, but {he} did not know where to go.
{His} heart beat fast. Then {he} remembered what {p} always said. "If you get lost, stay where you are and ask for help."
{A} was scared. But {he} took a deep breath and tried to think.
=
{He} went to an old woman who sold [eggs|honey|flowers]. She had a kind face. "I can't find {p2}," {he} said. "Can you help me?"
A woman who sold flowers saw {him}. "Are you lost, little one?" she asked. / {A} nodded. "I can't find {p2}," {he} said.
{He} walked up to {seller}, {way}. "Please help me," {he} said. "I lost {p2}."
-
"We will stay right here," was the answer. "And we will call together." So they called as loud as they could, "{a} is here! {a} is here!"
"Do not worry. Stand up on this box, so that everyone can see you." {A} stood on the box and looked over all the heads.
"Don't be afraid. {Phe} must be looking for you too. Let's wait here and wave with this red cloth."
=
Soon there was a shout. "{a}! There you are!" It was {p}. {Phe} ran to {him} and held {him} tight.
All at once, {he} saw {p}, who came running with {phis} basket. "I looked for you everywhere!" {phe} said, and {hug2}.
And then {p} came. {Phe} was [as white as milk|out of breath]. "Oh, {a}! I was so [worried|scared]," {phe} said.
-
"I'm sorry that I let go," said {a}. / "You did the right thing," said {p}. "You asked for help."
"I only wanted to look," said {a}. "I will not let go again." / "Next time, tell me, and we will look together," said {p}.
They said thank you, and {p} bought {him} a [sweet bun|red apple]. {A} held {phis} hand all the way home.
-
From that day on, {a} always held on tight at the market.
And the next time they went to the market, {a} had a little bell on {his} coat. Ding, ding, ding!
That night {a} said, "I like the market. But I like home best."
# grandma's house
@find story = an old hat with a feather ; I wore it when I sailed on a big ship | a little gold key ; It opens a box that holds my best letters | a wooden doll with one eye ; She was my best friend when I was small | a pair of tiny shoes ; They were my first dancing shoes | a round brown shell ; I found it by the sea on the day I met my best friend | a toy soldier with a red coat ; He stood by my bed and watched over me
=
+{He} loved to visit {g}, who lived [in a house on a hill|near the woods|by the lake].
+{G} lived far away, and {he} did not see {ghim} often.
{a} was going to stay with {g} for [two days|a whole week]. {He} had packed {his} bag all by {himself}.
{a} was at {g}'s house. Outside it was raining, and {he} did not know what to play.
=
When {he} came to {g}'s house, it smelled of [apples|bread|wood]. {G} gave {him} a warm hug and a [cookie|cup of milk].
{G}'s house was old. The stairs went creak, creak, and the clock went tick, tock. At first {a} felt [a little strange|a bit lonely] there.
{day} it was too wet to play outside. "What can I do, {gcall}?" {a} asked. / "[Go and explore|Look around]," said {g}. "An old house has many secrets."
-
{A} went up the stairs, all the way to the top. There {he} found a small door. Behind it was a dusty room [full of boxes|full of old things].
At the top of the house was a room where {he} had never been. {He} opened the door. It was [dusty and dim|full of boxes].
{A} climbed up to the attic. A thin line of light came in through the window, and the dust danced in it.
=
In the corner stood a big trunk. {A} lifted the lid. Inside, under some old [papers|dresses], {he} found {find}.
{He} opened one box. There were only old papers. {He} opened another. It held some socks with holes. In the last box {he} found {find}.
Something was lying on the floor, wrapped in a blue cloth. {A} opened it with care. It was {find}.
-
"What is this?" {he} wondered. {He} carried it down the stairs, step by step.
{A} had never seen such a thing. {He} ran down to show it to {g}.
{He} did not know if {he} could touch it. But {he} wanted to know all about it.
=
"Look what I found, {gcall}!" {a} said. / {G} put down {ghis} cup. "Oh my," {ghe} said softly. "I thought that was lost. {story}."
When {g} saw it, {ghe} had to sit down. "I have not seen this for many, many years," {ghe} said. "{story}."
"May I ask you what this is?" said {a}. / {G} smiled and took it in {ghis} hands. "{story}," {ghe} said.
-
"Tell me more," said {a}. {He} sat down at {g}'s feet, and {g} told {him} one story after the other, [until it was dark|until the rain stopped].
{A} wanted to hear everything. So {g} made tea and told {him} about the time when {ghe} was little, and about [the snow that was as high as the house|the dog that could dance].
{A} opened {his} eyes wide. "Were you really small once?" {he} asked. / {G} laughed. "Yes, as small as you, and just as curious."
=
When it was time to go home, {g} put it into {his} {hands}. "Now it is yours," {ghe} said. "Take good care of it."
In the evening, {g} said, "I want you to have it. When you look at it, you will think of me."
They put it on the shelf by the window, where the sun could shine on it. "Now it is not lost any more," said {a}.
-
{A} held it close. It was the best gift {he} had ever got, because it had a story inside.
And each time {a} came to visit, {g} told {him} a new story.
From then on, {a} never thought that old things were boring.
"I love you, {gcall}," said {a}. "And I love your stories."
# secret door
hero child
@where = behind the [old|big] bookcase | under the stairs | behind the roses in the garden | at the end of the long hall
@room = a little room full of books, with a round window | a tiny garden with a bench and a white rose | a small room with a chair, a lamp and a box of toys | a room with stars painted on the walls
=
+{He} could never walk past a closed door.
+{He} liked to look for secrets.
{a} and {his} family had just moved into an old house. It was [big and dusty|full of strange sounds].
{a} was looking for {his} cat. "Where are you, kitty?" {he} called.
=
{day} {he} found a tiny door {where}. {He} had never seen it before.
{day} the cat sat down {where} and would not move. {A} went to get her. And there was a tiny door!
{day} {a} was [playing ball|dusting for {p}]. Then {he} saw something {where}. It was a small door with a [round|brass] knob.
-
{He} pushed, but it was locked. {He} looked through the keyhole, but {he} only saw [the dark|a bit of light].
{A} tried to open it. It did not move. There must be a key [somewhere|for it]!
{He} knocked three times. Nobody answered. {He} turned the knob, but the door stayed shut.
=
{A} told {b} about it. They looked for the key in [every drawer|pots and shoes] and under every mat. They found [two spoons and a sock|a lot of dust], but no key.
{A} asked {p}, but {p} did not know anything about a door. {A} asked {b}. "Let's find the key," {b} said. They looked high and low.
For three days {a} and {b} looked for the key. They looked in the cups and in the clock. They almost gave up.
-
Then {b} looked up. High over the door there was a little nail, and on the nail hung a key! "[We looked everywhere but there|It was here all the time]!" {bhe} laughed.
At last {b} stepped on a loose board. It went up, and under it was a [rusty|small] key.
Then {a} moved the [old clock|flower pot], and something fell down with a clink. It was a key!
=
The key turned. Click! The door opened slowly. {A} held {b}'s hand, because {he} was a little scared.
"You open it," {b} whispered. / "No, you," {a} whispered back. So they did it together. Click, went the lock.
{His} fingers shook, but {he} put the key in the lock and turned it. Creak! The door was open.
-
Behind it was {room}. "[Oh|Wow]," {a} said. "It is beautiful."
They looked inside. There was {room}. It was as if it had been waiting for them.
They could not believe their eyes. They saw {room}.
=
On a small table lay a letter. {P} read it to them. "To the one who finds this place," it said. "I was happy here. Now it is your turn."
"It must have belonged to a child, long ago," said {p} when {phe} came to look. "What will you do with it?" / "We will make it our [reading place|secret place]," said {a}.
There was a name on the wall. It was {g}'s name! "So you found it," said {g}, and {ghe} smiled. "That was my place when I was little."
-
From that day on, {a} and {b} went there whenever they wanted to be quiet and dream.
They cleaned it and put a soft [rug|pillow] on the floor. It was the best place in the world.
They put the key back in its place, so that one day another child could find it.
{A} learned that even a place you know well can hold a surprise.
# surprise party
hero any
=
+It was {his} birthday, and {he} was very excited.
+{He} could hardly wait for {his} birthday.
{a} woke up with a smile. "Today is my birthday!" {he} said.
It was {a}'s birthday. {He} jumped out of bed and ran [down the stairs|to the kitchen].
=
When {his} birthday came, {he} ran to {p}. {P} was [reading|washing the cups]. "Good morning," {phe} said, and nothing more.
On the morning of {his} birthday, {a} waited for someone to say "Happy birthday." But {p} only said, "Eat your [bread|breakfast], please."
There was no cake on the table, and there were no gifts. "Good morning, {a}," said {p}. "[Is it raining|Did you sleep well]?"
-
"Maybe {phe} forgot," thought {a}. {He} felt a bit sad.
{A} [waited a little|looked around], but nobody said a word about the day.
{A} did not say anything. {He} [went outside|put on {his} shoes and went out] to find {his} friends.
=
{He} met {b}. "Do you know what day it is?" {a} asked. / "[A windy day|Is it Monday]?" said {b}. "I'm sorry, I have to go." And {bhe} ran off.
{He} went to see {b}. But {b} hid something behind {bhis} back. "I can't play today," {bhe} said. "[I'm busy|I have to help at home]."
{He} knocked at {b}'s door. No one was there. {He} went to the [swings|pond]. No one was there, either.
-
{A} sat down under a tree. "Everybody forgot my birthday," {he} said to a small [bug|bird]. A tear fell on the grass.
Now {a} was {sad}. {He} walked around all alone and [kicked a stone|looked at the ground].
"Nobody cares about me," {he} thought. {He} sat on a bench for a long time.
=
When the sun went down, {he} walked home. The house was dark. That was strange. {He} opened the door.
Then {p} called {him} in. "Can you get me a cup from the [big|back] room?" {phe} asked. {A} opened the door.
At last {he} went home with slow steps. There was no light in the window. {He} pushed the door open.
-
"Surprise!" Everyone was there! {P} and {g} and {b} and all {his} friends were laughing, and there were [balloons|paper stars] all over the room.
"Surprise!" they all shouted. The light went on. There was {b} with a paper hat, and {g} with a big cake.
All at once, the light went on. "Happy birthday, {a}!" many voices called. {B} was there, and {g}, and all {his} friends.
=
{A} could not speak. "I thought you forgot," {he} said at last. / "Forget you? Never!" said {p}, and {hug2}.
{A} laughed and cried at the same time. "I was so sad," {he} said, "and now I am so happy!"
"So that is why you ran away!" {a} said to {b}. / "Yes," {b} laughed. "I am not good at keeping secrets!"
-
They ate cake and played games until [the moon came up|it was very late]. {A} blew out all the candles and made a wish.
{B} gave {him} a [kite|drum|red ball], and {g} gave {him} a warm [hat|scarf]. Then they danced around the table.
That night {a} lay in bed and smiled. "I have the best friends in the world," {he} said.
"This was the best birthday ever," said {a}. And {he} gave the biggest piece of cake to {b}.
# learning to ride
hero child
@skill fall done = ride a bike ; {He} went a little way, and then the bike tipped over ; The bike went straight down the street | swim ; {He} kicked and splashed, and water went up {his} nose ; {He} swam from one side to the other | skate ; {He} slid, and {his} feet went out from under {him} ; {He} skated all the way around | tie {his} shoes ; The lace came open again and again ; The bow was neat and tight | whistle ; Only air came out of {his} mouth ; A clear, high sound came out, like a bird | jump rope ; The rope caught {his} feet every time ; {He} jumped ten times without a stop
=
+There was one thing {he} wanted to learn. {He} wanted to {skill}.
+All {his} friends could {skill}, but {he} could not.
{a} looked at the other children. They could all {skill}. "I want to do that too," {he} said.
{a} was big enough to {skill} now. At least, that was what {he} thought.
=
"Will you teach me to {skill}, {pcall}?" {he} asked. / "Of course," said {p}. "But it takes time. [You must not give up|Nobody learns it in one day]."
{day} {a} said to {p}, "I will learn to {skill} today." / "[Good|All right]," said {p}. "I will help you."
{P} showed {him} how to do it. It looked so easy. "Now you try," said {p}.
-
{A} tried. {fall}. "I can't do it," {he} said.
The first time did not go well. {fall}. {A} looked at {p} with big eyes.
{He} took a deep breath and tried. {fall}.
=
{He} tried again. {fall}. {B} saw it and laughed. {A} turned red and wanted to [hide|go home].
{He} tried a second time, and a third time. It was no good. "I will never learn it!" {he} cried. {He} sat down and crossed {his} arms.
{He} tried all morning, but it did not work. {His} eyes filled with tears. "It is too hard," {he} said.
-
{P} sat down beside {him}. "Do you know how many times I fell when I was little?" {phe} asked. "[A hundred times|So many times that I lost count]."
"You can't do it yet," said {p}. "'Yet' is a small word, but it is a [big help|good word]."
"A tree does not grow in one day," said {p}. "Let's rest, and then we will try one more time."
{B} came over. "It took me [all summer|a long time] to learn it," {bhe} said. "I can show you a trick."
=
So {a} got up. The next day {he} tried again, and the day after that. Each time it went a little better.
{A} wiped {his} eyes. "One more time," {he} said. And then, "One more time." And then, "Just one more!"
Every day after [school|lunch], {a} went out to try. Sometimes {he} wanted to stop, but {he} said to {himself}, "Not yet does not mean never."
-
And then, all at once, it worked! {done}. "I can do it! Look at me!" {he} shouted.
One sunny morning, something changed. {done}. {A} could not believe it.
Then it happened. {done}. {P} clapped and shouted, "You did it!"
=
{A} {cheer}. "[Again|Once more]!" {he} said, and {he} did it again and again until dinner.
"I am so proud of you," said {p}. "Not because you can {skill}, but because you did not give up."
{A} was {glad}. {He} ran to tell {g} and {b} and everyone on the street.
-
{He} learned that if you keep trying, hard things get easy.
And when {his} little cousin wanted to learn it too, {a} said, "I will help you. It just takes time."
From then on, when something was hard, {a} smiled and said, "I can't do it yet."
# new baby
hero child
=
+{He} was going to have a new baby [brother|sister]. {He} was not sure if {he} liked that.
{a} had a new baby brother. Everyone came to see the baby, and everyone brought gifts for the baby.
There was a new baby in {a}'s house. It was very small and very loud.
=
The baby cried all [day|night]. Mom and Dad were tired. "Shh, {a}, the baby is asleep," they said all the time.
When the baby came, everything was different. "Can you play with me?" {a} asked Mom. / "Not now," she said. "I have to feed the baby."
Mom held the baby. Dad washed the baby. {G} sang to the baby. Nobody had time for {a}.
-
{A} felt left out. {He} went to {his} room and [built a tower, and then {he} kicked it down|hid under the bed].
"Babies are boring," {a} said to {his} teddy bear. "They can't play. They only eat and sleep and cry."
{A} was {sad}. "They don't love me any more," {he} thought.
=
{day} the baby cried and cried. Mom rocked it. Dad made funny faces. {G} tried a [rattle|warm bottle]. But the baby did not stop.
Then one evening the baby would not stop crying. Nobody knew what to do. Mom was so tired that she [had to sit down|almost cried too].
One rainy day, Mom was in the kitchen and the baby woke up. "Waa, waa!" it cried. {A} put {his} hands over {his} ears, but it did not help.
-
{A} came in to look. The baby's face was red. {A} began to sing the little song that Mom always sang to {him}. It was about [the moon|a sleepy sheep].
{A} went up to the crib. "Don't cry," {he} said. {He} put {his} own teddy bear next to the baby and patted its hand.
"Let me try," said {a}. {He} bent over the crib and made a sound like a [bee|cow|duck].
=
The baby stopped. It looked at {a} with big round eyes. Then it took {his} finger in its tiny hand and held it tight.
All at once it was quiet. The baby looked up at {him} and smiled. Nobody had ever seen the baby smile before!
The baby gave a little hiccup. Then it laughed! {A} had never heard such a [nice|sweet] sound.
-
"Look at that," said Dad. "Nobody else could do it."
"You did it!" Mom whispered. "The baby loves you, {a}."
Mom and Dad stood in the door and smiled. "You are a wonderful big {brother}," they said.
=
{A} felt warm and proud. "I can teach the baby all kinds of things," {he} said.
Mom sat down and took {a} on her lap. "There is enough love for both of you," she said. "Love does not get smaller when you share it. It grows."
That night Mom read a story just for {a}, and they ate a cookie together. {A} was {glad}.
-
From then on, when the baby cried, everyone called for {a}.
And {he} could not wait until the baby was big enough to [play ball|jump in puddles].
{A} learned that being the big {brother} is something special.
# first day of school
hero child
=
+Tomorrow would be {his} first day of school.
+{He} had a new bag and new shoes. {He} was going to school for the first time.
{a} did not want to get up. It was the first day of school, and {his} belly felt funny.
It was the first day of school. {a} and {p} walked down the street hand in hand.
=
"What if nobody likes me?" {he} asked. "What if I can't find the [door|bathroom]?" / "Everyone is new on the first day," said {p}.
In front of the school, {a} stopped. It was so big! "I want to go home," {he} said, and held on to {p}.
"I am scared," {he} told {p}. "[I don't know anyone there|Can you come with me]?"
-
{P} drew a small heart on {his} hand. "When you miss me, look at it," {phe} said. "I will be thinking of you."
{P} gave {him} a smooth little stone. "Keep this in your pocket," {phe} said. "It is from our garden. When you hold it, you have a bit of home with you."
{P} bent down and {hug2}. "I will be right here when school is over," {phe} said. "I promise."
=
The teacher had a kind face and a [yellow|green] dress. "Good morning, {a}," she said. "We are glad that you are here." She showed {him} a chair by the window.
{A} went in. The room was full of children. Some were loud and some were quiet. {A} sat down in the [last|first] row and did not say a word.
Inside, there were books and blocks and a [fish tank|big map] by the wall. {A} looked around. {He} did not know where to sit.
-
Then {he} heard a sniff. Next to {him} sat a {bkind} who was crying. "What is your name?" {a} asked. / "{b}," said the {bkind}. "I want to go home."
A {bkind} named {b} sat next to {him}. {B} was looking at the floor, and {bhis} lip was shaking. "Are you scared too?" {a} asked. {B} nodded.
When they went out to play, {a} saw a {bkind} who stood all alone by the fence. "I'm {a}," {he} said. "What is your name?" / "I'm {b}," the {bkind} said, very softly.
=
{A} forgot that {he} was scared. "It will be all right," {he} said. "Let's stay together." And {he} showed {bhim} what {p} had given {him}.
"I was scared too, this morning," said {a}. "But it is better with two. [Do you want to see the fish|Do you like blocks]?"
{A} gave {bhim} half of {his} apple. "Let's be scared together," {he} said. That made {b} laugh.
-
They painted a big [whale|house] and sang a song about [frogs|a bus]. {B} knew all the words. The time flew by.
The teacher read them a story about a lost bear. Then they built a tower, and it was so high that everyone came to look.
They learned a new game, and they counted to twenty. At lunch they shared their [bread|grapes].
=
When the bell rang, {p} stood by the gate. {A} ran to {phim}. "I have a friend!" {he} shouted. "Can I come back tomorrow?"
After school {p} asked, "How was it?" / "It was fun," said {a}. "And I was brave, because {b} needed me."
In the afternoon {p} came. "Do you want to go home now?" {phe} asked. / {A} shook {his} head. "Just five more minutes!" {he} said.
-
{He} learned that when you help someone else, you forget to be afraid.
From that day on, {a} and {b} walked to school together every morning.
And that night, {he} put {his} bag by the door. {He} could not wait for the next day.
# cleaning up
hero child
@lost = [red|blue] sock | best [pencil|book] | little [horse|car] | new [hat|mitten]
=
+{He} had a lot of toys, but {he} never put them away.
+{He} did not like to clean up {his} room.
{a}'s room was a mess. There were [blocks|cars] on the floor, socks on the lamp, and books on the bed.
"Please clean up your room," said {p}. / "Later," said {a}. {He} always said that.
=
{P} looked into {his} room. "It looks as if a storm went through here," {phe} said. "Please clean up, {a}." / "I like it this way," said {a}.
Every day {p} asked {him} to clean up, and every day {he} said, "Tomorrow."
The heap of toys got bigger and bigger. Soon {a} could not [close the door|see the floor].
-
One day {b} was coming, and they wanted to go out. But {a} could not find {his} {lost}. "Where can it be?" {he} asked.
Then {a} wanted {his} {lost}. {He} looked and looked, but it was not there.
One day, {he} needed {his} {lost}, and {he} needed it [fast|right away]. But where was it?
=
{He} pulled things from the heap. Out came a shoe, a drum and an old [apple|sandwich]. It smelled bad! But there was no {lost}.
{He} stepped on a block. "Ow!" {he} cried. {He} fell over a truck and landed on a drum. Boom!
{He} dug in the heap like a dog. Toys flew left and right. The more {he} looked, the bigger the mess got.
-
"I will never find it," {he} said. {He} sat down in the middle of the mess and {cry}.
{P} came to see what all the noise was about. "[Do you need help|What are you doing]?" {phe} asked. / "I can't find my {lost}," said {a} with a red face.
"It is no use," said {a}. "My {lost} is gone."
=
"I have an idea," said {p}. "Let's play a game. Every toy is a sleepy animal, and it must go home to its own bed." {A} liked that.
"Let's do it one by one," said {p}. "First the books. Then the blocks. Then the rest. [It is not so hard|I will sing while we work]."
{B} came in and laughed. "I will help you," {bhe} said. "I bet that I can put away more than you!" / "No, you can't!" said {a}.
-
The books went on the shelf. The blocks went into the box. The [bears|dolls] sat in a row on the bed. It was almost fun.
They put the cars in one box and the [crayons|trains] in another. They worked fast, and they sang a silly song.
Bit by bit, the heap got smaller. {A} even found [a coin|a puzzle piece] that {he} had lost long ago.
=
And there, at the very bottom, was {his} {lost}! "Here it is!" {a} shouted.
When the last toy was put away, {a} saw something in the corner. It was {his} {lost}.
Then {a} picked up the last [blanket|box], and there lay {his} {lost}. "It was here all the time," {he} said.
-
{A} looked around. {His} room was big and bright. "There is so much room to [dance|play] now!" {he} said, and {he} {cheer}.
"It looks nice," said {a}. "I like it." / "And now you can find your things," said {p}.
{A} was {glad}. {He} lay down in the middle of the clean floor and made an angel with {his} arms.
-
From that day on, {he} put {his} toys to bed every night.
{A} learned that it is easy to find things when each thing has its own place.
The next time {p} asked {him} to clean up, {a} did not say "later." {He} said, "Yes, right now!"
"""
