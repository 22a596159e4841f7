"""The texts of the starter suite's language tasks, written for it. Right answers are given beside each question."""

from __future__ import annotations

# question, the right option, the letter it stands at, the other options in order
KNOWLEDGE = [
    ("What do bees make?", "Honey", "A", ["Milk", "Glass", "Paper money"]),
    ("Which planet do we live on?", "Earth", "C", ["Mars", "Venus", "Jupiter"]),
    ("What is the capital of France?", "Paris", "B", ["Madrid", "Rome", "Berlin"]),
    ("What is water called when it is frozen?", "Ice", "D", ["Steam", "Sand", "Smoke"]),
    ("Which animal barks?", "A dog", "A", ["A cow", "A fish", "A hen"]),
    ("How many days are there in a week?", "Seven", "C", ["Five", "Six", "Ten"]),
    ("Which of these is a colour?", "Green", "B", ["Table", "Monday", "River"]),
    ("What do we use to cut paper?", "Scissors", "D", ["A pillow", "A spoon", "A lamp"]),
    ("Which organ pumps blood through the body?", "The heart", "A", ["The stomach", "The skin", "The ear"]),
    ("Which of these can fly?", "An eagle", "C", ["A horse", "A snake", "A shark"]),
    ("Who wrote the play Romeo and Juliet?", "William Shakespeare", "B", ["Isaac Newton", "Albert Einstein", "Marie Curie"]),
    ("Which is the largest ocean?", "The Pacific Ocean", "D", ["The Arctic Ocean", "The Indian Ocean", "The Atlantic Ocean"]),
]

# text, question, the right option, its letter, the other options in order
SITUATIONS = [
    (
        "Nina forgot her umbrella at home. On the way to work it began to rain hard.",
        "What most likely happened to Nina?",
        "She got wet",
        "B",
        ["She got a new job", "She fell asleep"],
    ),
    (
        "Omar had eaten nothing since the early morning. At noon he went into a restaurant.",
        "Why did Omar go into the restaurant?",
        "He was hungry",
        "A",
        ["He wanted to swim", "He had lost his keys"],
    ),
    (
        "Lena worked for months and then won the first prize in the piano competition.",
        "How does Lena most likely feel?",
        "Proud",
        "C",
        ["Ashamed", "Bored"],
    ),
    (
        "Paul left the ice cream on the kitchen table on a hot afternoon and came back two hours later.",
        "What happened to the ice cream?",
        "It melted",
        "A",
        ["It froze harder", "It began to boil"],
    ),
    (
        "Mia's phone showed that only one percent of its charge was left.",
        "What should Mia do next?",
        "Plug the phone in",
        "B",
        ["Paint the phone", "Buy a bicycle"],
    ),
    (
        "The glass slipped from Ben's hand and fell on the stone floor.",
        "What most likely happened?",
        "The glass broke",
        "C",
        ["The floor melted", "The glass grew"],
    ),
    (
        "Sara's little brother cried because he had lost his toy bear. Sara found the bear under the sofa and gave it to him.",
        "How does her brother feel now?",
        "Happy",
        "A",
        ["Angry", "Frightened"],
    ),
    (
        "Tom has a fever and a cough, and his throat hurts.",
        "Whom should Tom see?",
        "A doctor",
        "C",
        ["A gardener", "A baker"],
    ),
    (
        "The plants on the balcony had not been watered for three weeks and their leaves were brown.",
        "What did the plants need?",
        "Water",
        "B",
        ["Music", "Shoes"],
    ),
]

# text, category
REVIEWS = [
    ("I love this kettle. It is fast, quiet and looks great in my kitchen.", "positive"),
    ("Terrible shoes. The sole came off after two days and nobody answered my mails.", "negative"),
    ("The best holiday we have ever had. The staff were kind and the beach was beautiful.", "positive"),
    ("A waste of money. The film was boring and far too long.", "negative"),
    ("The soup was cold, the waiter was rude and we will never come back.", "negative"),
    ("Wonderful book! I read it in one night and gave it to all my friends.", "positive"),
    ("This phone is awful: the screen is dark and the battery is empty by noon.", "negative"),
    ("Excellent service. They repaired my bicycle in an hour and it rides like new.", "positive"),
    ("I am very disappointed. The jacket is ugly and it smells bad.", "negative"),
    ("A delightful concert, I smiled the whole evening.", "positive"),
]
REVIEW_PROMPT = (
    "Review: <<<raw_text>>>\nIs the review positive or negative? "
    "Choose from: positive or negative. Provide only the category name as output."
)

# premise, hypothesis, category
PREMISES = [
    ("A woman is playing the violin on a stage.", "A woman is making music.", "entailment"),
    ("Two boys are swimming in a lake.", "The boys are sleeping in their beds.", "contradiction"),
    ("A man is reading a newspaper on a bench.", "The man is waiting for his sister.", "neutral"),
    ("A black dog runs across a field.", "An animal is outdoors.", "entailment"),
    ("The shop is closed on Sundays.", "The shop is open every day of the week.", "contradiction"),
    ("A girl in a red coat is eating an apple.", "The apple was bought this morning.", "neutral"),
    ("Three cooks are preparing dinner in a hotel kitchen.", "Some people are cooking.", "entailment"),
    ("The train is completely empty.", "The train is full of people.", "contradiction"),
    ("A family is having a picnic in the park.", "It is the birthday of one of the children.", "neutral"),
]
PREMISE_PROMPT = (
    "<<<raw_text>>>\nWhat is the relationship between the premise and hypothesis? "
    "Choose from: entailment, contradiction, or neutral. Provide only the category name as output."
)

# passage, question, acceptable answers
PASSAGES = [
    (
        "The Miller family moved to Lisbon in 2011. Mr Miller works there as a carpenter, and his wife runs a bookshop near the harbour.",
        "In which city do the Millers live?",
        ["Lisbon"],
    ),
    (
        "The old lighthouse was built of red brick in 1874. A storm destroyed its lamp in 1931, and since then it has been a museum.",
        "In which year was the lighthouse built?",
        ["1874", "in 1874"],
    ),
    (
        "Every Tuesday Anna takes the ferry to the island to teach mathematics. Her colleague Jonas teaches music there on Fridays.",
        "What does Anna teach?",
        ["mathematics", "maths"],
    ),
    (
        "For the cake you need four eggs, two cups of flour and one lemon. Bake it for forty minutes and let it cool.",
        "How many eggs are needed?",
        ["four", "four eggs", "4"],
    ),
    (
        "Kofi wanted to buy a guitar. As it was too expensive, he bought a drum instead and practised on it every evening.",
        "What did Kofi buy?",
        ["a drum", "drum"],
    ),
    (
        "The river Wend rises in the hills of Arden and flows north. After ninety kilometres it reaches the sea at Port Hallow.",
        "Where does the river reach the sea?",
        ["Port Hallow", "at Port Hallow"],
    ),
    (
        "Doctor Ruiz discovered the new moth in a garden. She named it after her daughter, Clara.",
        "Who discovered the moth?",
        ["Doctor Ruiz", "Ruiz"],
    ),
    (
        "The match had to be stopped after an hour because of thick fog. It will be played again on Saturday.",
        "Why was the match stopped?",
        ["because of thick fog", "thick fog", "fog"],
    ),
    (
        "Our cat is called Pepper. She is grey, eats only fish and sleeps on the piano.",
        "What is the name of the cat?",
        ["Pepper"],
    ),
]

# question, number
SUMS = [
    ("Tina has 2 apples. Her father gives her 3 more apples. How many apples does she have now?", 5),
    ("A bus carries 10 people. At the next stop 4 people get off. How many people are left on the bus?", 6),
    ("One ticket costs 3 euros. How many euros do 4 tickets cost?", 12),
    ("There are 20 pencils in a box. They are shared equally among 5 children. How many pencils does each child get?", 4),
    ("Marc reads 10 pages on Monday and 15 pages on Tuesday. How many pages does he read in all?", 25),
    ("A rope is 9 metres long. Eva cuts off 2 metres. How many metres of the rope are left?", 7),
    ("A farmer has 6 rows with 5 trees in each row. How many trees are there?", 30),
    ("A shop sold 50 loaves in the morning and 50 loaves in the afternoon. How many loaves did it sell?", 100),
]

# turns, the next speaker's reply
DIALOGS = [
    (
        ["Good morning. Can I help you?", "Yes, please. I would like a cup of coffee."],
        "Of course. Would you like milk or sugar with your coffee?",
    ),
    (["Thank you very much for your help today."], "You are welcome. I am glad that I could help."),
    (
        ["Excuse me, where is the railway station?", "Go straight on and turn left at the church.", "Is it far?"],
        "No, it is not far. It is about five minutes on foot.",
    ),
    (["Hi Julia, how are you?", "I have a bad cold and I feel terrible."], "I am sorry to hear that. I hope you feel better soon."),
    (["I passed my driving test today!"], "Congratulations! That is great news. I am so happy for you."),
    (
        ["Shall we go to the cinema tonight?", "I would love to. What time does the film start?"],
        "The film starts at eight o'clock. Shall we meet at half past seven?",
    ),
]

# document, summary
NEWS = [
    (
        "The town library opened its new building on Monday. The mayor cut the ribbon in front of three hundred guests. "
        "The building has two reading rooms and a cafe, and it is open every day except Sunday.",
        "The town library opened its new building on Monday.",
    ),
    (
        "A fire broke out in a bakery in Mill Street early on Thursday. Nobody was hurt. "
        "Firefighters put the fire out within an hour; its cause is not yet known.",
        "A fire broke out in a bakery in Mill Street, but nobody was hurt.",
    ),
    (
        "The local football team won the cup final on Saturday. They beat their rivals from the coast by two goals to one. "
        "Thousands of fans celebrated in the market square until midnight.",
        "The local football team won the cup final by two goals to one.",
    ),
    (
        "The bridge over the river will be closed for repairs from June to August. Drivers must use the northern road instead. "
        "Pedestrians and cyclists can take a free ferry.",
        "The bridge over the river will be closed for repairs from June to August.",
    ),
    (
        "Scientists have found a new kind of frog in the mountain forest. It is only two centimetres long and bright yellow. "
        "They heard its call at night and searched for three weeks before they saw it.",
        "Scientists have found a new kind of small yellow frog in the mountain forest.",
    ),
    (
        "Bread will become more expensive this autumn. Bakers say that the price of flour has risen by a third after the dry summer. "
        "A loaf may cost twenty cents more.",
        "Bread will become more expensive this autumn because the price of flour has risen.",
    ),
]
