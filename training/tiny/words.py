"""The vocabulary that problems draw from."""

NAMES = (
    "Ana Ben Carla Dan Eva Finn Gina Hugo Iris Jack Kira Leo Mia Noah Olga Paul Tom Bob Lena Sam Anna Emma Liam Lucy "
    "Max Nina Omar Priya Rosa Sara Tim Uma Vera Will Yara Zoe Alice David Fatima George Hannah Ivan Julia Karim Laura "
    "Marco Nora Oscar Peter Ruth Sofia Theo Wei Maria John Amir Chloe Diego Ella Felix").split()

THINGS = (
    "apples books coins pens cards shells stamps marbles cookies tickets eggs oranges pears plums lemons cherries "
    "muffins rolls cakes pies sandwiches candies sweets chocolates donuts bottles cups plates bowls spoons forks glasses "
    "jars cans lamps candles chairs tables pencils crayons markers erasers notebooks stickers posters photos pictures "
    "letters magazines newspapers comics toys balls dolls kites balloons puzzles blocks bricks stones pebbles rocks "
    "beads buttons ribbons socks shirts hats scarves gloves shoes towels blankets pillows boxes keys locks bells "
    "flowers roses tulips trees seeds plants leaves potatoes carrots onions tomatoes peppers pumpkins melons grapes "
    "nuts chickens hens ducks sheep goats cows fish birds rabbits cats dogs horses bikes cars phones laptops cables "
    "batteries screws nails tiles planks bags tents maps flags medals badges tokens points chairs umbrellas mugs "
    "bananas peaches berries kiwis snacks drinks juices burgers pizzas waffles pancakes buns loaves lightbulbs mirrors "
    "vases clocks watches rings necklaces bracelets brushes sponges soaps combs files folders envelopes parcels "
    "cupcakes seashells paintings songs games robots trucks trains planes boats").split()

PLACES = (
    "shop farm library market school museum bakery store factory club hotel garden kitchen office camp zoo cafe "
    "restaurant warehouse kiosk clinic theater hall team class family village park station gym").split()

CONTAINERS = "boxes bags crates packs baskets cartons jars trays packets bundles sacks tins cases stacks".split()
HOLDERS = "shelves tables rows rooms drawers cupboards benches carts trucks buses".split()
HOLDER_OF = "box bag crate basket drawer room garden shop jar cupboard truck hall".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
RELATIVES = "sister brother friend cousin mother father aunt uncle grandmother teacher neighbour dad mom grandma".split()
SIZES = "big small red blue green old new round square heavy light long short yellow white black".split()
